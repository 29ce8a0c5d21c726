// Small pieces that several views have.
import { useEffect, useRef, useState } from 'preact/hooks'
import { bytes, pretty } from './words.js'

export function Badge({ status }) {
  if (!status) return <span class="badge">–</span>
  const kind = status >= 500 ? 'bad' : status >= 400 ? 'odd' : status >= 300 ? 'plain' : 'good'
  return <span class={`badge ${kind}`}>{status}</span>
}

export const Method = ({ name }) => <span class={`method m-${name.toLowerCase()}`}>{name}</span>

export function Empty({ title, children }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 120 60" aria-hidden="true">
        <path class="sail" d="M56 6v34H30z" />
        <path class="sail two" d="M61 14v26h20z" />
        <path class="hull" d="M20 44h76l-9 10a6 6 0 0 1-4 2H34a6 6 0 0 1-4-2z" />
        <path class="wave" d="M2 56q8-5 15 0t15 0 15 0 15 0 15 0 15 0 15 0 12 0" />
      </svg>
      <h3>{title}</h3>
      <p>{children}</p>
    </div>
  )
}

export function Copy({ text, label }) {
  const [done, setDone] = useState('')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'function' ? text() : text)
      setDone('copied')
    } catch {
      setDone('not allowed')
    }
    setTimeout(() => setDone(''), 1500)
  }
  return (
    <button type="button" class="quiet" onClick={copy}>
      <span aria-live="polite">{done || label}</span>
    </button>
  )
}

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g
const MOST_COLOURED = 30_000

function coloured(text) {
  const found = []
  let at = 0
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) found.push(text.slice(at, match.index))
    const [whole, string, colon, word] = match
    const kind = string ? (colon ? 'j-key' : 'j-text') : word ? 'j-word' : 'j-number'
    found.push(<span class={kind}>{string ?? whole}</span>)
    if (colon) found.push(colon)
    at = match.index + whole.length
  }
  found.push(text.slice(at))
  return found
}

const MOST = 2400

// Text as it is, or JSON set out; a long one is cut until somebody asks for all of it.
export function Code({ text, label, json = true, empty = 'nothing' }) {
  const [all, setAll] = useState(false)
  if (!text) return <p class="faint">{empty}</p>
  const whole = json ? pretty(text) : text
  const isLong = whole.length > MOST
  const shown = isLong && !all ? whole.slice(0, MOST) : whole
  const is_json = json && /^\s*[[{"\d-]/.test(shown) && shown.length < MOST_COLOURED
  return (
    <div class="code">
      <pre tabIndex={0} role="region" aria-label={label}>
        {is_json ? coloured(shown) : shown}
        {isLong && !all ? '…' : ''}
      </pre>
      {isLong && (
        <button type="button" class="quiet more" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'show less' : `show all (${bytes(whole.length)})`}
        </button>
      )}
    </div>
  )
}

// A log: each line by what it is.
export function Log({ text }) {
  const [all, setAll] = useState(false)
  if (!text?.trim()) return <p class="faint">No log lines.</p>
  const lines = text.replace(/\n+$/, '').split('\n')
  const isLong = lines.length > 40
  const shown = isLong && !all ? [...lines.slice(0, 20), `… ${lines.length - 36} lines …`, ...lines.slice(-16)] : lines
  return (
    <div class="code">
      <pre class="log" tabIndex={0} role="region" aria-label="Log lines">
        {shown.map((line) => (
          <span class={kind_of(line)}>{`${line.replaceAll('\t', '  ')}\n`}</span>
        ))}
      </pre>
      {isLong && (
        <button type="button" class="quiet more" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'show less' : `show all ${lines.length} lines`}
        </button>
      )}
    </div>
  )
}

function kind_of(line) {
  if (/^(START|END|REPORT|INIT_START|INIT_REPORT|XRAY) /.test(line)) return 'l-lambda'
  if (/\[?(ERROR|CRITICAL)\]?|Traceback|Task timed out|errorMessage/.test(line)) return 'l-error'
  if (/^\[?WARN/.test(line)) return 'l-warn'
  return 'l-own'
}

export function Choice({ label, value, options, onChange, hidden }) {
  return (
    <label class={hidden ? 'pick bare' : 'pick'}>
      <span class={hidden ? 'sr' : ''}>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option value={key}>{text}</option>
        ))}
      </select>
    </label>
  )
}

// Tabs as the ARIA practices have them: arrows move, one is in the tab order.
export function Tabs({ label, tabs, at, onChange }) {
  const list = useRef(null)
  const press = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    const now = tabs.findIndex(([key]) => key === at)
    const next = event.key === 'Home' ? 0 : event.key === 'End' ? tabs.length - 1 : step ? (now + step + tabs.length) % tabs.length : -1
    if (next < 0) return
    event.preventDefault()
    onChange(tabs[next][0])
    list.current.children[next].focus()
  }
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={press}>
      {tabs.map(([key, text]) => (
        <button type="button" role="tab" id={`tab-${key}`} aria-selected={key === at} aria-controls={`panel-${key}`} tabIndex={key === at ? 0 : -1} onClick={() => onChange(key)}>
          {text}
        </button>
      ))}
    </div>
  )
}

export function Problem({ error }) {
  if (!error) return null
  return (
    <div class="problem" role="alert">
      <strong>{error.found ?? error.message}</strong>
      {error.where && <code>{error.where}</code>}
      {error.expected && <span>expected {error.expected}</span>}
      {error.fix && <span>fix: {error.fix}</span>}
    </div>
  )
}

const SHORTCUTS = [
  ['1 2 3 4', 'picture, try, history, charts'],
  ['Ctrl Enter', 'send'],
  ['/', 'filter the history'],
  ['j k', 'next, previous in the history'],
  ['t', 'dark, light'],
  ['?', 'this list'],
  ['Esc', 'close'],
]

export function Shortcuts({ open, onClose, active, setActive }) {
  const dialog = useRef(null)
  useEffect(() => {
    if (open && !dialog.current.open) dialog.current.showModal()
    if (!open && dialog.current.open) dialog.current.close()
  }, [open])
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="shortcuts">
      <h2 id="shortcuts">Keyboard</h2>
      <dl>
        {SHORTCUTS.map(([keys, what]) => (
          <div>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={active} onChange={(event) => setActive(event.currentTarget.checked)} />
        keys without Ctrl
      </label>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  )
}

import 'uplot/dist/uPlot.min.css'
import { render } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Charts } from './charts.jsx'
import { History } from './history.jsx'
import { Shortcuts, Problem } from './parts.jsx'
import { Picture } from './picture.jsx'
import { href, useKept, useLive, usePlace, useService } from './state.js'
import './style.css'
import { Try } from './try.jsx'
import { clock, ms } from './words.js'

const VIEWS = [
  ['', 'Picture'],
  ['try', 'Try'],
  ['history', 'History'],
  ['charts', 'Charts'],
]

function App() {
  const { parts } = usePlace()
  const [theme, setTheme] = useKept('theme', '')
  const [active, setActive] = useKept('keys', true)
  const [seconds, setSeconds] = useKept('window', 900)
  const [help, setHelp] = useState(false)
  const { live, lost } = useLive(seconds)
  const { service, error } = useService(live?.generation)
  const view = VIEWS.some(([name]) => name === parts[0]) ? parts[0] : ''
  const dark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  const main = useRef(null)

  useEffect(() => {
    if (theme) document.documentElement.dataset.theme = theme
    else delete document.documentElement.dataset.theme
  }, [theme])
  useEffect(() => {
    document.title = `${VIEWS.find(([name]) => name === view)[1]} · ${service?.name ?? 'bareboat'}`
  }, [view, service])
  useEffect(() => {
    const press = (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.target.isContentEditable
      if (typing || !active || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key === '?') setHelp(true)
      else if (event.key >= '1' && event.key <= '4') location.hash = href(...[VIEWS[event.key - 1][0]].filter(Boolean))
      else if (event.key === 't') setTheme(dark ? 'light' : 'dark')
      else if (event.key === '/') {
        const filter = document.getElementById('filter')
        if (filter) filter.focus()
        else {
          location.hash = href('history')
          setTimeout(() => document.getElementById('filter')?.focus(), 60)
        }
      } else if (event.key === 'Escape' && view === 'history' && parts[1]) location.hash = href('history')
      else return
      event.preventDefault()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [active, dark, view, parts[1]])

  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          main.current.focus()
        }}
      >
        Skip to the view
      </a>
      <header class="top">
        <a class="brand" href="#/" aria-label="bareboat console">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path class="sail" d="M15 4v16H5.5z" />
            <path class="sail two" d="M17.5 8v12H26z" />
            <path class="hull" d="M3 22.5h26l-3.6 5.2a3 3 0 0 1-2.5 1.3H9.1a3 3 0 0 1-2.5-1.3z" />
          </svg>
          <span>bareboat</span>
        </a>
        <nav aria-label="Views">
          {VIEWS.map(([name, text]) => (
            <a href={href(...[name].filter(Boolean))} aria-current={view === name ? 'page' : undefined}>
              {text}
            </a>
          ))}
        </nav>
        <div class="row tools">
          <span class={`live ${lost ? 'lost' : ''}`} role="status">
            <i aria-hidden="true" />
            {lost ? 'no connection' : service ? service.stage : 'connecting'}
          </span>
          <button type="button" class="icon" aria-label={dark ? 'Light colours' : 'Dark colours'} title={dark ? 'Light (t)' : 'Dark (t)'} onClick={() => setTheme(dark ? 'light' : 'dark')}>
            <svg viewBox="0 0 20 20" aria-hidden="true">
              {dark ? <path d="M10 5.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10 1v2M10 17v2M1 10h2M17 10h2M3.6 3.6 5 5M15 15l1.4 1.4M3.6 16.4 5 15M15 5l1.4-1.4" /> : <path d="M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7Z" />}
            </svg>
          </button>
          <button type="button" class="icon" aria-label="Keyboard shortcuts" title="Keyboard (?)" onClick={() => setHelp(true)}>
            ?
          </button>
        </div>
      </header>
      <Reloads reload={live?.reload} lost={lost} />
      <main ref={main} tabIndex={-1} id="main">
        <Problem error={error} />
        {service && view === '' && <Picture service={service} live={live} seconds={seconds} setSeconds={setSeconds} />}
        {service && view === 'try' && <Try service={service} id={parts[1]} live={live} />}
        {service && view === 'history' && <History service={service} live={live} id={parts[1]} />}
        {service && view === 'charts' && <Charts service={service} live={live} theme={`${theme}${dark}`} />}
      </main>
      <Shortcuts open={help} onClose={() => setHelp(false)} active={active} setActive={setActive} />
    </>
  )
}

// Why the last good version still serves, and when a new one does.
function Reloads({ reload, lost }) {
  const seen = useRef(null)
  const [fresh, setFresh] = useState(null)
  useEffect(() => {
    if (reload === undefined) return
    if (reload && seen.current !== null && reload.at !== seen.current && !reload.error) {
      setFresh(reload)
      const timer = setTimeout(() => setFresh(null), 8000)
      seen.current = reload.at
      return () => clearTimeout(timer)
    }
    seen.current = reload?.at ?? 0
  }, [reload?.at, reload?.error])
  return (
    <div class="banners">
      <div role="alert">
        {lost && <p class="banner bad">The console’s server does not answer. Start `bareboat serve` again; this page goes on by itself.</p>}
        {!lost && reload?.error && (
          <div class="banner bad">
            <p>
              <strong>The change does not work; the last good version serves.</strong> {reload.where && <code>{reload.where}</code>}
            </p>
            <pre tabIndex={0} role="region" aria-label="Why the change does not work">{reload.error}</pre>
            {reload.fix && <p>fix: {reload.fix}</p>}
          </div>
        )}
      </div>
      <div role="status">
        {fresh && !reload?.error && (
          <p class="banner good">
            A new version serves since {clock(fresh.at)}
            {fresh.changed.length > 0 && `: ${fresh.changed.join(', ')}`} ({ms(fresh.took_ms)}).
          </p>
        )}
      </div>
    </div>
  )
}

render(<App />, document.getElementById('app'))

// Try a route or a function: the request at the left, what became of it at the right.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Explanation, Predictions } from './bars.jsx'
import { Inside, Reason, Timings } from './exchange.jsx'
import { RowsForm } from './form.jsx'
import { ask } from './net.js'
import { Badge, Code, Copy, Empty, Method, Problem, Tabs } from './parts.jsx'
import { ACCESS } from './picture.jsx'
import { body_of, fields_of, row_of, rows_of } from './schema.js'
import { href } from './state.js'
import { curl, ms, parsed } from './words.js'

const drafts = new Map() // what was typed and answered, by target, while the page is open

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
const WITHOUT_BODY = ['GET', 'HEAD', 'OPTIONS']

export const targets_of = (service) => [
  ...service.routes.map((route) => ({ id: route.id, route, function: service.functions.find((each) => each.name === route.function) })),
  ...service.functions.map((one) => ({ id: `fn:${one.name}`, route: null, function: one })),
]

export function Try({ service, id, live }) {
  const targets = targets_of(service)
  const target = targets.find((each) => each.id === id) ?? targets[0]
  if (!target) {
    return (
      <Empty title="No function yet">
        Add one to <code>{service.file}</code>: a <code>handler</code>, or a <code>model</code>.
      </Empty>
    )
  }
  return (
    <section aria-labelledby="view" class="try">
      <h1 id="view" class="sr">
        Try
      </h1>
      <nav class="targets" aria-label="Routes and functions">
        <label class="narrow-only pick">
          <span>Send to</span>
          <select value={target.id} onChange={(event) => (location.hash = href('try', event.currentTarget.value))}>
            {targets.map((each) => (
              <option value={each.id}>{title_of(each, of_both(service))}</option>
            ))}
          </select>
        </label>
        <div class="wide-only">
          <Group title="Routes" targets={targets.filter((each) => each.route)} at={target.id} both={of_both(service)} />
          <Group title="Invoke a function" targets={targets.filter((each) => !each.route)} at={target.id} />
        </div>
      </nav>
      <Bench key={target.id} service={service} target={target} live={live} />
    </section>
  )
}

// Where there are both kinds of API, a route tells which it is of.
const of_both = (service) => ['http', 'httpApi'].every((api) => service.routes.some((route) => route.api === api))
const api_of = (route, both) => (both && route ? ({ http: 'REST', httpApi: 'HTTP' }[route.api] ?? '') : '')

const title_of = (target, both) => `${plain_title(target)}${api_of(target.route, both) && ` (${api_of(target.route, both)})`}`
const plain_title = ({ route, function: one }) => (route ? `${route.method} ${route.api === 'url' ? `${one.name} (URL)` : route.path}` : `invoke ${one.name}`)

function Group({ title, targets, at, both }) {
  if (!targets.length) return null
  return (
    <>
      <h2>{title}</h2>
      <ul>
        {targets.map((each) => (
          <li>
            <a href={href('try', each.id)} aria-current={each.id === at ? 'page' : undefined} title={title_of(each, both)}>
              {each.route ? <Method name={each.route.method} /> : <span class="method">λ</span>}
              <span class="cut">{each.route ? (each.route.api === 'url' ? `${each.function.name} (URL)` : each.route.path) : each.function.name}</span>
              {api_of(each.route, both) && <span class="tag">{api_of(each.route, both)}</span>}
            </a>
          </li>
        ))}
      </ul>
    </>
  )
}

function model_of(target, path) {
  const { models, default: usual } = target.function
  const named = Object.values(path).find((value) => models.some((model) => model.name === value))
  return models.find((model) => model.name === (named ?? usual)) ?? models[0] ?? null
}

function example_body(target) {
  const sample = target.function.events[0]
  const event = sample ? parsed(sample.text) : undefined
  if (event === undefined) return target.route?.schema ? JSON.stringify(of_schema(target.route.schema), null, 2) : ''
  if (event && typeof event === 'object' && ('body' in event || 'requestContext' in event)) {
    const body = event.isBase64Encoded ? atob(event.body ?? '') : (event.body ?? '')
    const read = typeof body === 'string' ? parsed(body) : body
    return read === undefined ? String(body) : JSON.stringify(read, null, 2)
  }
  return JSON.stringify(event, null, 2)
}

function of_schema(schema) {
  if (schema.default !== undefined) return schema.default
  if (schema.example !== undefined) return schema.example
  if (schema.enum) return schema.enum[0]
  const type = [schema.type].flat()[0]
  if (type === 'object' || schema.properties) return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, each]) => [name, of_schema(each)]))
  if (type === 'array') return schema.items ? [of_schema(schema.items)] : []
  return { integer: schema.minimum ?? 1, number: schema.minimum ?? 1, boolean: true, null: null }[type] ?? 'text'
}

// What a request is when nothing was typed yet.
function started(service, target) {
  const { route, function: one } = target
  const path = Object.fromEntries((route?.parameters ?? []).map(({ name }) => [name, one.models.find((model) => model.name === one.default && one.models.length > 1)?.name ?? '']))
  const model = model_of(target, path)
  const fields = model ? fields_of(model.row) : []
  const wrapped = one.wrapped
  const rows = model ? [row_of(one.rows[0], fields)] : []
  const method = !route ? 'POST' : route.method === 'ANY' ? (model || one.events.length ? 'POST' : 'GET') : route.method
  const has_form = model !== null && !wrapped
  const protocol = route ? one.protocol : 'bareboat'
  return {
    method,
    path,
    rest: route && (route.path === '*' || route.path === '/{proxy+}') ? '/' : '',
    query: (route?.query ?? []).map((name) => [name, '']),
    headers: [['content-type', 'application/json'], ...(route?.headers ?? []).map((name) => [name, ''])],
    rows,
    row: 0,
    has_form,
    protocol,
    tab: has_form ? 'form' : 'body',
    body: has_form ? '' : route ? (WITHOUT_BODY.includes(method) ? '' : example_body(target)) : (one.events[0]?.text ? pretty_event(one.events[0].text) : '{}'),
    credential: null,
  }
}

const pretty_event = (text) => {
  const event = parsed(text)
  return event === undefined ? text : JSON.stringify(event, null, 2)
}

// The request as it goes out.
function request_of(service, target, draft, model) {
  const { route } = target
  const fields = model ? fields_of(model.row) : []
  const bodyless = WITHOUT_BODY.includes(draft.method)
  const query = draft.query.filter(([name]) => name)
  const from_form = draft.has_form && draft.tab !== 'body' && !draft.raw
  if (bodyless && from_form && route) {
    for (const field of fields) {
      const value = draft.rows[0][field.name]
      if (value !== null && value !== undefined) query.push([field.name, typeof value === 'object' ? JSON.stringify(value) : String(value)])
    }
  }
  const body = from_form ? (bodyless ? '' : JSON.stringify(body_of(draft.rows, fields, draft.protocol), null, 2)) : bodyless ? '' : draft.body
  const document = from_form ? body_of(draft.rows, fields, 'bareboat') : parsed(body)
  if (!route) return { method: 'POST', path: '', headers: [], body: body || '{}', document }
  const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
  const way =
    route.api === 'url' || route.path === '*'
      ? draft.rest || '/'
      : route.path.replace(/\{([^{}]+?)(\+?)\}/g, (_, name, greedy) => (greedy ? (draft.path[name] ?? '').split('/').map(encode).join('/') : encode(draft.path[name] ?? '')))
  const asked = query.length ? `${way.includes('?') ? '&' : '?'}${query.map((pair) => pair.map(encode).join('=')).join('&')}` : ''
  const headers = draft.headers.filter(([name, value]) => name && value && !(name.toLowerCase() === 'content-type' && !body))
  return { method: draft.method, path: encodeURI(way).replaceAll('%25', '%') + asked, headers, body, document }
}

function Bench({ service, target, live }) {
  const [draft, setDraft] = useState(() => drafts.get(target.id)?.draft ?? started(service, target))
  const [answer, setAnswer] = useState(() => drafts.get(target.id)?.answer ?? null)
  const [busy, setBusy] = useState(false)
  const form = useRef(null)
  const { route, function: one } = target
  const model = model_of(target, draft.path)
  useEffect(() => {
    drafts.set(target.id, { draft, answer })
  }, [draft, answer])
  const change = (part) => setDraft((now) => ({ ...now, ...part }))
  const request = request_of(service, target, draft, model)
  const door = service.doors.find((each) => route && each.kind === route.api && (route.api !== 'url' || each.function === one.name))
  const url = door ? door.url + request.path : ''

  const send = async () => {
    if (busy) return
    setBusy(true)
    const { document, ...asked } = request
    try {
      const found = route
        ? await ask('send', { api: route.api, function: one.name, ...asked })
        : await ask('invoke', { function: one.name, event: asked.body })
      setAnswer({ ...found, document })
    } catch (error) {
      setAnswer({ failure: error })
    }
    setBusy(false)
  }
  useEffect(() => {
    const press = (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault()
        document.activeElement?.dispatchEvent(new Event('change', { bubbles: true }))
        requestAnimationFrame(() => setTimeout(() => form.current?.requestSubmit(), 0))
      }
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])

  const fields = model ? fields_of(model.row) : []
  const bodyless = WITHOUT_BODY.includes(draft.method)
  const turn = (tab) => {
    if (tab === 'body' && draft.has_form && draft.tab === 'form' && !bodyless) change({ tab, body: request.body, raw: false })
    else if (tab === 'form' && draft.tab === 'body') {
      const rows = rows_of(parsed(draft.body), fields, draft.protocol)
      change(rows ? { tab, rows, row: 0, raw: false } : { tab, raw: draft.body.trim() !== '' && !bodyless })
    } else change({ tab, raw: tab === 'more' ? draft.raw || draft.tab === 'body' : draft.raw })
  }
  const tabs = [...(draft.has_form ? [['form', 'Form']] : []), ...(bodyless && route ? [] : [['body', route ? 'Body' : 'Event']]), ...(route ? [['more', 'Query and headers']] : [])]
  const at = tabs.some(([key]) => key === draft.tab) ? draft.tab : tabs[0][0]
  const reload = () => {
    drafts.delete(target.id)
    setDraft(started(service, target))
    setAnswer(null)
  }
  const fleet = live?.fleets?.[one.name]
  return (
    <div class="bench">
      <form
        ref={form}
        class="request"
        aria-label="Request"
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        <header class="row spread">
          <div class="line title">
            {route ? <Method name={route.method} /> : <span class="method">λ</span>}
            <h2 title={route?.path}>{route ? (route.api === 'url' ? `${one.name} (URL)` : route.path) : one.name}</h2>
          </div>
          <p class="faint">
            {api_of(route, of_both(service)) && `${api_of(route, true)} API · `}
            {route && route.access.kind !== 'open' ? `${ACCESS[route.access.kind]} · ` : ''}
            {one.name} · {one.runtime} · {one.memory_mb} MB
            {fleet ? ` · ${fleet.processes ? `${fleet.processes} warm` : 'cold'}` : ''}
          </p>
        </header>
        {one.description && <p class="faint">{one.description}</p>}
        {route?.method === 'ANY' && (
          <label class="pick">
            <span>Method</span>
            <select value={draft.method} onChange={(event) => change({ method: event.currentTarget.value })}>
              {METHODS.map((name) => (
                <option>{name}</option>
              ))}
            </select>
          </label>
        )}
        {route && (route.api === 'url' || route.path === '*') && (
          <div class="field">
            <label for="rest">Path</label>
            <input id="rest" value={draft.rest || '/'} spellcheck={false} onInput={(event) => change({ rest: event.currentTarget.value })} />
          </div>
        )}
        {route?.parameters.length > 0 && (
          <div class="fields">
            {route.parameters.map(({ name, greedy }) => (
              <div class="field">
                <label for={`path-${name}`}>{`{${name}${greedy ? '+' : ''}}`}</label>
                <input id={`path-${name}`} required={!greedy} value={draft.path[name]} spellcheck={false} autoComplete="off" onInput={(event) => change({ path: { ...draft.path, [name]: event.currentTarget.value } })} />
                <span class="under faint">{greedy ? 'the rest of the path' : 'in the path'}</span>
              </div>
            ))}
          </div>
        )}
        {route && route.access.kind !== 'open' && <Credential route={route} draft={draft} change={change} />}
        <Tabs label="What is sent" tabs={tabs} at={at} onChange={turn} />
        <div role="tabpanel" id={`panel-${at}`} aria-labelledby={`tab-${at}`}>
          {at === 'form' && draft.raw && (
            <p class="note">
              The body is no plain list of rows; it is sent as it stands.{' '}
              <button type="button" class="quiet" onClick={() => change({ raw: false })}>
                Use the form instead
              </button>
            </p>
          )}
          {at === 'form' && !draft.raw && <RowsForm model={model} rows={draft.rows} at={draft.row} several={!bodyless || !route} onChange={(made) => setDraft((now) => ({ ...now, rows: made(now.rows) }))} setAt={(row) => change({ row })} />}
          {at === 'body' && (
            <>
              <Samples one={one} route={route} onPick={(body) => change({ body })} />
              <textarea class="json" rows={Math.min(22, Math.max(8, draft.body.split('\n').length + 1))} spellcheck={false} placeholder='{"name": "value"}' aria-label={route ? 'Body' : 'Event'} value={draft.body} onInput={(event) => change({ body: event.currentTarget.value })} />
              {draft.body.trim() && parsed(draft.body) === undefined && <p class="under odd">{route ? 'This is no JSON; it is sent as it stands.' : 'This is no JSON: Lambda takes nothing else.'}</p>}
            </>
          )}
          {at === 'more' && (
            <>
              <Pairs title="Query" pairs={draft.query} onChange={(query) => change({ query })} />
              <Pairs title="Headers" pairs={draft.headers} onChange={(headers) => change({ headers })} />
            </>
          )}
        </div>
        <footer class="row spread">
          <div class="row">
            <button type="submit" class="main" disabled={busy}>
              {busy ? 'Sending…' : route ? 'Send' : 'Invoke'}
              <kbd aria-hidden="true">Ctrl ↵</kbd>
            </button>
            <button type="button" class="quiet" onClick={reload}>
              Start over
            </button>
          </div>
          {route && <Copy label="Copy as curl" text={() => curl(url, request)} />}
        </footer>
        {url && (
          <p class="faint url" title={url}>
            {url}
          </p>
        )}
      </form>
      <div class="answer-pane" aria-live="polite" aria-busy={busy}>
        <Answer answer={answer} target={target} model={model} />
      </div>
    </div>
  )
}

function Samples({ one, route, onPick }) {
  if (one.events.length < 2 && !(one.events.length === 1 && !route)) return null
  return (
    <label class="pick">
      <span>Sample</span>
      <select
        value=""
        onChange={(event) => {
          const found = one.events[+event.currentTarget.value]
          if (found) onPick(route ? example_body({ route, function: { ...one, events: [found] } }) : pretty_event(found.text))
        }}
      >
        <option value="">choose…</option>
        {one.events.map((event, at) => (
          <option value={at}>{event.name}</option>
        ))}
      </select>
    </label>
  )
}

function Pairs({ title, pairs, onChange }) {
  const shown = [...pairs, ['', '']]
  const set = (at, place, value) => {
    const next = shown.map((pair) => [...pair])
    next[at][place] = value
    onChange(next.filter(([name, value], each) => name || value || each < pairs.length - 1))
  }
  return (
    <fieldset class="pairs">
      <legend>{title}</legend>
      {shown.map(([name, value], at) => (
        <div class="row" key={at}>
          <input aria-label={`${title} name ${at + 1}`} placeholder="name" value={name} spellcheck={false} autoComplete="off" onInput={(event) => set(at, 0, event.currentTarget.value)} />
          <input aria-label={`${title} value ${at + 1}`} placeholder="value" value={value} spellcheck={false} autoComplete="off" onInput={(event) => set(at, 1, event.currentTarget.value)} />
        </div>
      ))}
    </fieldset>
  )
}

function Credential({ route, draft, change }) {
  const [state, setState] = useState({})
  const fill = async () => {
    setState({ busy: true })
    try {
      const found = await ask('credential', { route: route.id })
      const names = found.headers.map(([name]) => name.toLowerCase())
      change({ headers: [...draft.headers.filter(([name]) => !names.includes(name.toLowerCase())), ...found.headers], query: [...draft.query.filter(([name]) => !(found.query ?? []).some(([each]) => each === name)), ...(found.query ?? [])] })
      setState({ notes: found.notes ?? [] })
    } catch (error) {
      setState({ error })
    }
  }
  const { access } = route
  const text = access.kind === 'key' ? 'needs an API key' : `needs ${ACCESS[access.kind]} ${access.name}${access.private ? ' and an API key' : ''}`
  return (
    <div class="credential">
      <span>
        <b>{text}</b>
        {access.scopes.length > 0 && <span class="faint"> with one of {access.scopes.join(', ')}</span>}
      </span>
      <button type="button" class="quiet" disabled={state.busy} onClick={fill}>
        Fill in a local one
      </button>
      {state.notes?.map((note) => <p class="faint">{note}</p>)}
      <Problem error={state.error} />
    </div>
  )
}

function Answer({ answer, target, model }) {
  if (!answer) {
    return (
      <Empty title="Nothing sent yet">
        The form holds {target.function.rows.length || target.function.events.length ? 'a sample' : 'made-up values'}. Press <kbd>Ctrl</kbd> <kbd>Enter</kbd> to send it.
      </Empty>
    )
  }
  if (answer.failure) return <Problem error={answer.failure} />
  const { detail } = answer
  const read = parsed(answer.body)
  const explains = model?.engine === 'forest' && !target.function.wrapped && target.function.protocol === 'bareboat' && (answer.status === 200 || (answer.status === 0 && !answer.error)) && target.function.models.length === 1
  return (
    <>
      <section class="card answer-head">
        <div class="row spread">
          <div class="line">
            {answer.status ? <Badge status={answer.status} /> : <span class={`badge ${answer.error ? 'bad' : 'good'}`}>{answer.error ? 'failed' : 'returned'}</span>}
            <b>{answer.reason}</b>
            <span class="faint">{ms(answer.took_ms)}</span>
            {(detail?.cold || detail?.init_ms != null) && <span class="chip">cold start</span>}
          </div>
          <Copy label="Copy body" text={answer.body} />
        </div>
        <Timings detail={detail} took={answer.took_ms} />
        <Reason detail={detail} />
        {answer.base64 ? <p class="faint">A body of no text, as base64:</p> : null}
        <Code text={answer.body} label="The body of the answer" empty="No body." />
        {answer.headers.length > 0 && (
          <details>
            <summary>
              {answer.headers.length} headers
            </summary>
            <dl class="headers">
              {answer.headers.map(([name, value]) => (
                <div>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </details>
        )}
      </section>
      <Predictions answer={read} labels={model?.labels ?? []} />
      {explains && answer.document !== undefined && <Explanation key={answer.took_ms} name={target.function.name} document={answer.document} />}
      {detail ? <Inside detail={detail} /> : <p class="faint">What the handler was given is not kept: there is no record of this request.</p>}
    </>
  )
}

// A request of the history, put into the bench again.
export function draft_from(service, row) {
  const target = targets_of(service).find((each) => each.id === (row.api === 'url' ? `url ${row.function}` : row.route && row.api ? `${row.api} ${row.route}` : `fn:${row.function}`)) ?? targets_of(service).find((each) => each.id === `fn:${row.function}`)
  if (!target) return null
  const draft = started(service, target)
  if (target.route && row.request) {
    const [way, asked = ''] = row.path.split('?')
    const names = []
    const pattern = new RegExp(`${target.route.path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{([^{}]+?)(\\\+)?\}/g, (_, name, greedy) => (names.push(name), greedy ? '(.*)' : '([^/]+)'))}$`)
    const found = pattern.exec(way) ?? []
    names.forEach((name, at) => (draft.path[name] = decodeURIComponent(found[at + 1] ?? '')))
    Object.assign(draft, {
      method: row.method,
      rest: way,
      query: [...new URLSearchParams(asked)],
      headers: row.request.headers.filter(([name]) => !/^(host|content-length|connection|accept-encoding|transfer-encoding)$/i.test(name)),
      body: row.request.body ?? '',
    })
    const model = model_of(target, draft.path)
    const rows = draft.has_form && model ? rows_of(parsed(draft.body), fields_of(model.row), draft.protocol) : null
    if (rows) Object.assign(draft, { rows, tab: 'form' })
    else Object.assign(draft, { tab: WITHOUT_BODY.includes(draft.method) ? 'more' : 'body', raw: true })
  } else {
    Object.assign(draft, { body: pretty_event(row.event ?? '{}'), tab: 'body' })
  }
  drafts.set(target.id, { draft, answer: null })
  return target.id
}

// The API as a picture: client, route, access, function, answer; live counts on the arrows.
import { useEffect, useRef } from 'preact/hooks'
import { Choice, Empty, Method } from './parts.jsx'
import { href, useWidth } from './state.js'
import { count, ms, share } from './words.js'

const NONE = { requests: 0, client_errors: 0, server_errors: 0, refused: 0 }
const ROW = 62
const KINDS = { httpApi: 'HTTP API', http: 'REST API', url: 'URL' }
export const ACCESS = { open: 'open', jwt: 'JWT', cognito: 'Cognito', lambda: 'Lambda authorizer', iam: 'IAM signature', key: 'API key' }

export function Picture({ service, live, seconds, setSeconds }) {
  const [element, width] = useWidth()
  const counts = live?.counts ?? { routes: {}, functions: {} }
  const fleets = live?.fleets ?? {}
  const total = total_of(service, counts, fleets)
  const entries = entries_of(service, counts)
  return (
    <section aria-labelledby="view">
      <div class="row spread head">
        <div>
          <h1 id="view">{service.name}</h1>
          <p class="faint">
            {service.doors
              .filter((door) => door.kind !== 'lambda')
              .map((door, at) => (
                <>
                  {at > 0 && ' · '}
                  {KINDS[door.kind] ?? door.kind} {door.function} <code>{door.url}</code>
                </>
              ))}
          </p>
        </div>
        <Choice label="Counts of" value={String(seconds)} onChange={(value) => setSeconds(+value)} options={[['60', 'the last minute'], ['900', 'the last 15 minutes'], ['3600', 'the last hour'], ['0', 'all that is kept']]} />
      </div>
      <dl class="tiles">
        {total.map(([name, value, bad]) => (
          <div class={bad ? 'tile bad' : 'tile'}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div ref={element}>
        {entries.length === 0 ? (
          <Empty title="No route yet">
            Add <code>events: [httpApi: POST /predict]</code> to a function in <code>{service.file}</code>, or <a href={href('try')}>invoke a function</a> as it is.
          </Empty>
        ) : width >= 820 ? (
          <Flow service={service} entries={entries} counts={counts} fleets={fleets} width={width} />
        ) : width > 0 ? (
          <List entries={entries} fleets={fleets} counts={counts} />
        ) : null}
      </div>
    </section>
  )
}

function total_of(service, counts, fleets) {
  const routes = Object.values(counts.routes)
  const functions = Object.values(counts.functions)
  const sum = (rows, key) => rows.reduce((all, row) => all + (row[key] ?? 0), 0)
  const requests = sum(routes, 'requests')
  const errors = sum(routes, 'server_errors')
  const slowest = functions.filter((each) => each.invocations).map((each) => each.p99_ms)
  const median = functions.filter((each) => each.invocations).sort((a, b) => b.invocations - a.invocations)[0]
  return [
    ['requests', count(requests)],
    ['server errors', share(errors, requests), errors > 0],
    ['median', ms(median?.p50_ms)],
    ['p99', slowest.length ? ms(Math.max(...slowest)) : '–'],
    ['cold starts', count(sum(functions, 'cold'))],
    ['processes', count(Object.values(fleets).reduce((all, fleet) => all + fleet.processes, 0))],
  ]
}

function entries_of(service, counts) {
  const routes = service.routes.map((route) => ({
    id: route.id,
    kind: route.api,
    title: route.path,
    method: route.method,
    gate: route.access,
    function: route.function,
    to: href('try', route.id),
    counts: counts.routes[route.id] ?? NONE,
  }))
  const triggers = service.triggers.map((each, at) => ({
    id: `${each.kind} ${at}`,
    kind: each.kind,
    title: each.title,
    method: '',
    gate: null,
    function: each.function,
    to: href('try', `fn:${each.function}`),
    counts: { ...NONE, requests: counts.functions[each.function]?.sources?.[each.kind] ?? 0 },
  }))
  return [...routes, ...triggers]
}

const gate_name = (gate) => (gate.name ? `${gate.name}${gate.private ? ' + key' : ''}` : gate.private ? 'API key' : ACCESS[gate.kind])

// Rows of a column, each as near to the middle of what leads to it as the others leave room.
function placed(keys, wanted, gap, top, bottom) {
  const rows = keys.map((key) => ({ key, y: wanted(key) })).sort((a, b) => a.y - b.y)
  for (let at = 1; at < rows.length; at++) rows[at].y = Math.max(rows[at].y, rows[at - 1].y + gap)
  const over = rows.length ? rows.at(-1).y - bottom : 0
  if (over > 0) for (let at = rows.length - 1, limit = bottom; at >= 0; at--, limit -= gap) rows[at].y = Math.min(rows[at].y, limit)
  if (rows.length && rows[0].y < top) for (let at = 0, limit = top; at < rows.length; at++, limit += gap) rows[at].y = Math.max(rows[at].y, limit)
  return Object.fromEntries(rows.map(({ key, y }) => [key, y]))
}

const mean = (list) => list.reduce((sum, each) => sum + each, 0) / Math.max(1, list.length)
const thick = (n) => (n ? 1.5 + Math.min(4.5, Math.log10(1 + n) * 1.5) : 1.25)

function Flow({ service, entries, counts, fleets, width }) {
  const names = [...new Set(entries.map((entry) => entry.function))]
  const ordered = names.flatMap((name) => entries.filter((entry) => entry.function === name))
  const gates = [...new Set(ordered.filter((entry) => entry.gate).map((entry) => gate_name(entry.gate)))]
  const height = Math.max(ordered.length, names.length * 1.5, gates.length, 4) * ROW + 14
  const top = ROW / 2 + 4
  const bottom = height - ROW / 2 - 4
  const even = (n, at) => top + ((at + 0.5) * (height - 2 * top)) / n
  const y_route = Object.fromEntries(ordered.map((entry, at) => [entry.id, (height - ordered.length * ROW) / 2 + (at + 0.5) * ROW]))
  const y_gate = placed(gates, (name) => mean(ordered.filter((entry) => entry.gate && gate_name(entry.gate) === name).map((entry) => y_route[entry.id])), ROW * 0.82, top, bottom)
  const y_name = placed(names, (name) => mean(ordered.filter((entry) => entry.function === name).map((entry) => y_route[entry.id])), ROW * 1.35, top, bottom)
  const classes = ['2xx', '4xx', '5xx']
  const y_class = Object.fromEntries(classes.map((name, at) => [name, even(3, at)]))

  // left edge and width of each column
  const unit = width / 100
  const X = {
    client: [0, 8.5 * unit],
    route: [14.5 * unit, 25 * unit],
    gate: [46.5 * unit, 14 * unit],
    name: [67.5 * unit, 17 * unit],
    answer: [91.5 * unit, 8.5 * unit],
  }
  const right = (column) => X[column][0] + X[column][1]
  const edges = []
  for (const entry of ordered) {
    const { requests, client_errors, server_errors, refused } = entry.counts
    const bad = server_errors > 0
    const passed = Math.max(0, requests - refused)
    if (entry.gate) {
      const gate = gate_name(entry.gate)
      edges.push({ id: `c-${entry.id}`, from: [right('client'), height / 2], to: [X.route[0], y_route[entry.id]], n: requests, label: requests ? count(requests) : '' })
      edges.push({ id: `g-${entry.id}`, from: [right('route'), y_route[entry.id]], to: [X.gate[0], y_gate[gate]], n: requests })
      edges.push({ id: `f-${entry.id}`, from: [right('gate'), y_gate[gate]], to: [X.name[0], y_name[entry.function]], n: passed, bad })
    } else {
      edges.push({ id: `f-${entry.id}`, from: [right('route'), y_route[entry.id]], to: [X.name[0], y_name[entry.function]], n: requests, label: requests ? count(requests) : '' })
    }
    void client_errors
  }
  for (const name of names) {
    const mine = ordered.filter((entry) => entry.function === name && entry.gate)
    if (!mine.length) continue
    const sum = (key) => mine.reduce((all, entry) => all + entry.counts[key], 0)
    const odd = sum('client_errors') - sum('refused')
    const bad = sum('server_errors')
    const good = sum('requests') - sum('client_errors') - bad
    for (const [kind, n] of [['2xx', good], ['4xx', odd], ['5xx', bad]]) {
      if (n > 0 || kind === '2xx') edges.push({ id: `a-${name}-${kind}`, from: [right('name'), y_name[name]], to: [X.answer[0], y_class[kind]], n, kind, label: n > 0 ? count(n) : '' })
    }
  }
  const refused_by = Object.fromEntries(gates.map((gate) => [gate, ordered.filter((entry) => entry.gate && gate_name(entry.gate) === gate).reduce((all, entry) => all + entry.counts.refused, 0)]))
  for (const [gate, n] of Object.entries(refused_by)) {
    if (n > 0) edges.push({ id: `r-${gate}`, from: [right('gate'), y_gate[gate]], to: [X.answer[0], y_class['4xx']], n, kind: 'refused', label: `${count(n)} refused`, at: 0.16 })
  }
  const answers = {}
  for (const entry of ordered.filter((each) => each.gate)) {
    const { requests, client_errors, server_errors } = entry.counts
    answers['2xx'] = (answers['2xx'] ?? 0) + requests - client_errors - server_errors
    answers['4xx'] = (answers['4xx'] ?? 0) + client_errors
    answers['5xx'] = (answers['5xx'] ?? 0) + server_errors
  }
  const at = (column, y, tall) => ({ left: `${X[column][0]}px`, width: `${X[column][1]}px`, top: `${y - tall / 2}px`, height: `${tall}px` })
  return (
    <div class="flow-box">
      <div class="columns" aria-hidden="true">
        {[['client', 'client'], ['route', 'route'], ['gate', 'access'], ['name', 'function'], ['answer', 'answer']].map(([column, text]) => (
          <span style={{ left: `${X[column][0]}px`, width: `${X[column][1]}px` }}>{text}</span>
        ))}
      </div>
      <div class="flow" style={{ height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true">
          {edges.map((edge) => (
            <Edge key={edge.id} {...edge} />
          ))}
          {edges.map((edge) => edge.label && <Label key={edge.id} {...edge} />)}
        </svg>
        <div class="node client" style={at('client', height / 2, 46)}>
          <span>you</span>
        </div>
        <ul class="nodes" aria-label="Routes">
          {ordered.map((entry) => (
            <li>
              <a class={`node route ${entry.gate ? '' : 'trigger'}`} href={entry.to} style={at('route', y_route[entry.id], 46)} aria-label={said(entry)} title={entry.title}>
                <span class="line">
                  {entry.method ? <Method name={entry.method} /> : <span class="method">{entry.kind}</span>}
                  <b>{entry.title}</b>
                </span>
                <span class="line faint">
                  {entry.gate ? (entry.counts.requests ? `${ms(entry.counts.p50_ms)} · p99 ${ms(entry.counts.p99_ms)}` : 'no request yet') : 'calls it by itself'}
                </span>
              </a>
            </li>
          ))}
        </ul>
        {gates.map((gate) => {
          const kind = ordered.find((entry) => entry.gate && gate_name(entry.gate) === gate).gate.kind
          return (
            <div class={`node gate ${kind}`} style={at('gate', y_gate[gate], 38)} title={ACCESS[kind]}>
              <span class="line">
                {kind !== 'open' && <Lock />}
                <b>{gate}</b>
              </span>
            </div>
          )
        })}
        <ul class="nodes" aria-label="Functions">
          {names.map((name) => (
            <li>
              <a class={`node name ${counts.functions[name]?.errors ? 'bad' : ''}`} href={href('try', `fn:${name}`)} style={at('name', y_name[name], 68)} title={name}>
                <span class="line">
                  <b>{name}</b>
                </span>
                <span class="line faint">{facts_of(counts.functions[name])}</span>
                <Processes fleet={fleets[name]} />
              </a>
            </li>
          ))}
        </ul>
        {classes.map((name) => (
          <div class={`node answer a${name[0]}`} style={at('answer', y_class[name], 46)}>
            <b>{name}</b>
            <span class="faint">{count(answers[name] ?? 0)}</span>
          </div>
        ))}
      </div>
    </div>
  )
}

const said = (entry) => {
  const { requests, client_errors, server_errors, p50_ms } = entry.counts
  const gate = entry.gate ? `, ${gate_name(entry.gate)}` : ''
  const seen = requests ? `${requests} requests, ${client_errors + server_errors} errors, median ${ms(p50_ms)}` : 'no request yet'
  return `${entry.method || entry.kind} ${entry.title}${gate}, function ${entry.function}: ${seen}. Try it.`
}

const facts_of = (seen) => (seen?.invocations ? `${ms(seen.p50_ms)}${seen.cold ? ` · ${seen.cold} cold` : ''}${seen.errors ? ` · ${seen.errors} failed` : ''}` : 'not called yet')

const Lock = () => (
  <svg class="lock" viewBox="0 0 12 12" aria-hidden="true">
    <path d="M3.5 5V3.7a2.5 2.5 0 0 1 5 0V5M2.2 5h7.6v5.4H2.2z" />
  </svg>
)

function Processes({ fleet }) {
  if (!fleet || fleet.processes === 0) return <span class="line fleet">cold: no process</span>
  const shown = Math.min(12, fleet.processes)
  return (
    <span class="line fleet" aria-label={`${fleet.processes} processes, ${fleet.busy} busy`}>
      {Array.from({ length: shown }, (_, at) => (
        <i class={at < fleet.busy ? 'busy' : 'warm'} />
      ))}
      <span>
        {fleet.processes} {fleet.busy ? `warm, ${fleet.busy} busy` : 'warm'}
        {fleet.waiting ? `, ${fleet.waiting} waiting` : ''}
      </span>
    </span>
  )
}

const curve = ([x, y], [to, end]) => {
  const bend = (to - x) * 0.5
  return `M${x} ${y}C${x + bend} ${y} ${to - bend} ${end} ${to} ${end}`
}

// An arrow; it runs for a moment when its count has grown.
function Edge({ from, to, n, kind, bad }) {
  const path = useRef(null)
  const before = useRef(n)
  useEffect(() => {
    if (n > before.current && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
      path.current.animate([{ strokeDashoffset: 0 }, { strokeDashoffset: -48 }], { duration: 900, easing: 'linear' })
      path.current.animate([{ strokeDasharray: '8 8', opacity: 1 }, { strokeDasharray: '8 8', opacity: 1 }], { duration: 900 })
    }
    before.current = n
  }, [n])
  const end = [to[0] - 6, to[1]]
  return (
    <g class={`edge ${kind ? `e-${kind}` : ''} ${bad ? 'e-bad' : ''} ${n ? '' : 'idle'}`}>
      <path ref={path} d={curve(from, end)} stroke-width={thick(n)} fill="none" />
      <path class="head" d={`M${to[0] - 7} ${to[1] - 4}l7 4-7 4z`} />
    </g>
  )
}

function Label({ from, to, label, kind, at = 0.5 }) {
  const t = at
  const x = from[0] + (to[0] - from[0]) * t
  const s = 3 * t * t - 2 * t * t * t
  const y = from[1] + (to[1] - from[1]) * s
  return (
    <text class={`count ${kind ? `e-${kind}` : ''}`} x={x} y={y - 5} text-anchor={at < 0.3 ? 'start' : 'middle'}>
      {label}
    </text>
  )
}

// The same for narrow screens: a card a route.
function List({ entries, fleets, counts }) {
  return (
    <ul class="stack-list" aria-label="Routes">
      {entries.map((entry) => {
        const { requests, client_errors, server_errors } = entry.counts
        return (
          <li>
            <a class="card route-card" href={entry.to} aria-label={said(entry)}>
              <span class="line">
                {entry.method ? <Method name={entry.method} /> : <span class="method">{entry.kind}</span>}
                <b>{entry.title}</b>
              </span>
              <span class="way">
                {entry.gate && <span class={`node gate ${entry.gate.kind}`}>{entry.gate.kind !== 'open' && <Lock />}{gate_name(entry.gate)}</span>}
                <span class="node name">{entry.function}</span>
                <span class="line fleet">{fleets[entry.function]?.processes ? `${fleets[entry.function].processes} warm` : 'cold'}</span>
              </span>
              <span class="line faint">
                {requests ? `${count(requests)} requests · ${ms(entry.counts.p50_ms ?? counts.functions[entry.function]?.p50_ms)}` : 'no request yet'}
                {client_errors > 0 && <span class="odd"> · {count(client_errors)} 4xx</span>}
                {server_errors > 0 && <span class="bad"> · {count(server_errors)} 5xx</span>}
              </span>
            </a>
          </li>
        )
      })}
    </ul>
  )
}

// The API as a picture: client, route, access, function, answer; live counts on the arrows.
import { useEffect, useRef } from 'preact/hooks'
import { Choice, Empty, Method } from './parts.jsx'
import { href, useWidth } from './state.js'
import { count, ms, share, some } from './words.js'

const NONE = { requests: 0, client_errors: 0, server_errors: 0, refused: 0 }
const ROW = 62
const KINDS = { httpApi: 'HTTP API', http: 'REST API', url: 'URL' }
export const ACCESS = { open: 'open', jwt: 'JWT', cognito: 'Cognito', lambda: 'Lambda authorizer', iam: 'IAM signature', key: 'API key' }

export function Picture({ service, live, seconds, setSeconds }) {
  const [element, width] = useWidth()
  const counts = live?.counts ?? { routes: {}, functions: {} }
  const fleets = live?.fleets ?? {}
  const total = total_of(counts, fleets)
  const entries = entries_of(service, counts, live?.has_clock)
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
          <Flow entries={entries} counts={counts} fleets={fleets} width={width - 38} />
        ) : width > 0 ? (
          <List entries={entries} fleets={fleets} counts={counts} />
        ) : null}
      </div>
    </section>
  )
}

function total_of(counts, fleets) {
  const routes = Object.values(counts.routes)
  const sum = (rows, key) => rows.reduce((all, row) => all + (row[key] ?? 0), 0)
  const requests = sum(routes, 'requests')
  const errors = sum(routes, 'server_errors')
  const functions = Object.values(counts.functions)
  return [
    ['requests', count(requests)],
    ['5xx errors', share(errors, requests), errors > 0],
    ['median', ms(counts.all?.p50_ms)],
    ['p99', ms(counts.all?.p99_ms)],
    ['cold starts', count(sum(functions, 'cold'))],
    ['processes', count(Object.values(fleets).reduce((all, fleet) => all + fleet.processes, 0))],
  ]
}

const ADDED = ['requests', 'client_errors', 'server_errors', 'refused']

// What came and is of no route that the service has now: paths that are not there, preflights, routes of before.
function elsewhere(service, counts) {
  const known = new Set(service.routes.map((route) => route.id))
  const rows = Object.entries(counts.routes).filter(([key, row]) => !known.has(key) && row.requests)
  return rows.length ? Object.fromEntries(ADDED.map((name) => [name, rows.reduce((all, [, row]) => all + row[name], 0)])) : null
}

function entries_of(service, counts, has_clock) {
  const both = ['http', 'httpApi'].every((api) => service.routes.some((route) => route.api === api))
  const routes = service.routes.map((route) => ({
    id: route.id,
    kind: route.api,
    title: route.api === 'url' ? `${route.function}, its own URL` : route.path === '*' ? 'any other path' : route.path,
    tag: both && route.api === 'http' ? 'REST' : '',
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
  const other = elsewhere(service, counts)
  const rest = { id: 'elsewhere', kind: 'other', title: 'other requests', method: '', gate: null, function: '', to: href('history'), counts: other }
  return [...routes, ...triggers, ...(other ? [rest] : [])].map((entry) => ({ ...entry, called: called(entry, has_clock) }))
}

function called({ kind, function: name }, has_clock) {
  if (!name) return 'answered by the API itself'
  if (kind !== 'schedule') return 'by bareboat event'
  return has_clock ? 'calls it by the clock' : 'by the clock with --schedules'
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

function Flow({ entries, counts, fleets, width }) {
  const names = [...new Set(entries.map((entry) => entry.function))].filter(Boolean)
  const ordered = [...names, ''].flatMap((name) => entries.filter((entry) => entry.function === name))
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
  const sum = (list, key) => list.reduce((all, entry) => all + entry.counts[key], 0)
  const asked = ordered.filter((entry) => entry.gate)
  const turned = (entry) => Math.min(entry.counts.refused, entry.counts.client_errors)
  for (const entry of ordered) {
    const { requests } = entry.counts
    if (entry.gate) {
      edges.push({ id: `c-${entry.id}`, path: curve([right('client'), height / 2], [X.route[0], y_route[entry.id]]), n: requests, label: requests ? count(requests) : '', place: [X.route[0] - 9, y_route[entry.id] - 8, 'end'] })
      edges.push({ id: `g-${entry.id}`, path: curve([right('route'), y_route[entry.id]], [X.gate[0], y_gate[gate_name(entry.gate)]]), n: requests })
    } else if (!entry.function) {
      edges.push({ id: 'c-elsewhere', path: curve([right('client'), height / 2], [X.route[0], y_route[entry.id]]), n: requests, label: count(requests), place: [X.route[0] - 9, y_route[entry.id] - 8, 'end'] })
    } else {
      edges.push({ id: `f-${entry.id}`, path: curve([right('route'), y_route[entry.id]], [X.name[0], y_name[entry.function]]), n: requests, label: requests ? count(requests) : '', place: [X.name[0] - 9, y_name[entry.function] - 8, 'end'] })
    }
  }
  const refused = {}
  for (const gate of gates) {
    const mine = asked.filter((entry) => gate_name(entry.gate) === gate)
    for (const name of names) {
      const led = mine.filter((entry) => entry.function === name)
      if (led.length) edges.push({ id: `f-${gate}-${name}`, path: curve([right('gate'), y_gate[gate]], [X.name[0], y_name[name]]), n: Math.max(0, sum(led, 'requests') - sum(led, 'refused')) })
    }
    refused[gate] = sum(mine, 'refused')
    const odd = mine.reduce((all, entry) => all + turned(entry), 0)
    const kind = odd * 2 >= refused[gate] ? '4xx' : '5xx'
    if (refused[gate] > 0) edges.push({ id: `r-${gate}`, path: around([right('gate'), y_gate[gate]], [X.answer[0], y_class[kind]], lane(names.map((name) => y_name[name]), y_gate[gate], height), X.name[0], right('name')), n: refused[gate], kind: `refused e-${kind}` })
  }
  const answers = { '2xx': 0, '4xx': 0, '5xx': 0 }
  for (const name of names) {
    const mine = asked.filter((entry) => entry.function === name)
    if (!mine.length) continue
    const odd = mine.reduce((all, entry) => all + entry.counts.client_errors - turned(entry), 0)
    const bad = mine.reduce((all, entry) => all + entry.counts.server_errors - (entry.counts.refused - turned(entry)), 0)
    const good = sum(mine, 'requests') - sum(mine, 'client_errors') - sum(mine, 'server_errors')
    answers['2xx'] += good
    answers['4xx'] += sum(mine, 'client_errors')
    answers['5xx'] += sum(mine, 'server_errors')
    for (const [kind, n, shift] of [['2xx', good, -18], ['4xx', odd, 0], ['5xx', bad, 18]]) {
      const from = [right('name'), y_name[name] + shift]
      if (n > 0 || kind === '2xx') edges.push({ id: `a-${name}-${kind}`, path: curve(from, [X.answer[0], y_class[kind]]), n, kind: `e-${kind}`, label: n > 0 ? count(n) : '', place: [from[0] + 8, kind === '2xx' ? from[1] - 5 : from[1] + 15, 'start'] })
    }
  }
  for (const entry of ordered.filter((each) => !each.function)) {
    const { requests, client_errors, server_errors } = entry.counts
    for (const [kind, n] of [['2xx', requests - client_errors - server_errors], ['4xx', client_errors], ['5xx', server_errors]]) {
      answers[kind] += n
      if (n > 0) edges.push({ id: `o-${kind}`, path: around([right('route'), y_route[entry.id]], [X.answer[0], y_class[kind]], Math.min(y_route[entry.id], height - 6), X.gate[0], right('name')), n, kind: `refused e-${kind}` })
    }
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
                  {entry.method ? <Method name={entry.method} /> : entry.function && <span class="method">{entry.kind}</span>}
                  <b>{entry.title}</b>
                  {entry.tag && <span class="tag">{entry.tag}</span>}
                </span>
                <span class="line faint">
                  {entry.gate ? (entry.counts.requests ? `${ms(entry.counts.p50_ms)} · p99 ${ms(entry.counts.p99_ms)}` : 'no request yet') : entry.called}
                </span>
              </a>
            </li>
          ))}
        </ul>
        {gates.map((gate) => {
          const kind = ordered.find((entry) => entry.gate && gate_name(entry.gate) === gate).gate.kind
          return (
            <div class={`node gate ${kind}`} style={at('gate', y_gate[gate], refused[gate] ? 46 : 38)} title={ACCESS[kind]}>
              <span class="line">
                {kind !== 'open' && <Lock />}
                <b>{gate}</b>
              </span>
              {refused[gate] > 0 && <span class="odd small">{count(refused[gate])} refused</span>}
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
  const seen = requests ? `${some(requests, 'request')}, ${some(client_errors + server_errors, 'error')}${p50_ms == null ? '' : `, median ${ms(p50_ms)}`}` : 'no request yet'
  if (!entry.function) return `${entry.title}, ${entry.called}: ${seen}. See the history.`
  return `${entry.method || entry.kind} ${entry.title}${gate}, function ${entry.function}: ${seen}. Try it.`
}

const facts_of = (seen) => (seen?.invocations ? `${ms(seen.p50_ms)}${seen.errors ? ` · ${seen.errors} failed` : ''}${seen.cold ? ` · ${seen.cold} cold` : ''}` : 'not called yet')

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

const HEAD = 6 // an arrow's head

const bent = (x, y, to, end) => `C${(x + to) / 2} ${y} ${(x + to) / 2} ${end} ${to} ${end}`

const head = (x, y) => `M${x - HEAD - 1} ${y - 4}l${HEAD + 1} 4-${HEAD + 1} 4z`

const curve = ([x, y], [to, end]) => [`M${x} ${y}${bent(x, y, to - HEAD, end)}`, head(to, end)]

// Past a column of nodes, through the gap nearest to where it begins.
const around = ([x, y], [to, end], lane, left, right) => [`M${x} ${y}${bent(x, y, left - 4, lane)}H${right + 4}${bent(right + 4, lane, to - HEAD, end)}`, head(to, end)]

function lane(rows, y, height) {
  const sorted = [...rows].sort((a, b) => a - b)
  const gaps = sorted.slice(1).map((row, at) => (row + sorted[at]) / 2)
  const ends = [sorted[0] - 42, sorted.at(-1) + 42].filter((each) => each > 2 && each < height - 2)
  return [...gaps, ...ends].sort((a, b) => Math.abs(a - y) - Math.abs(b - y))[0] ?? height - 4
}

// An arrow; it runs for a moment when its count has grown.
function Edge({ path: [line, arrow], n, kind }) {
  const path = useRef(null)
  const before = useRef(n)
  useEffect(() => {
    if (n > before.current && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
      const frames = [
        { strokeDasharray: '9 7', strokeDashoffset: 0 },
        { strokeDasharray: '9 7', strokeDashoffset: -48 },
      ]
      path.current.animate(frames, { duration: 950, easing: 'linear' })
    }
    before.current = n
  }, [n])
  return (
    <g class={`edge ${kind ?? ''} ${n ? '' : 'idle'}`}>
      <path ref={path} d={line} stroke-width={thick(n)} fill="none" />
      <path class="head" d={arrow} />
    </g>
  )
}

function Label({ label, place: [x, y, anchor] }) {
  return (
    <text class="count" x={x} y={y} text-anchor={anchor}>
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
                {entry.method ? <Method name={entry.method} /> : entry.function && <span class="method">{entry.kind}</span>}
                <b>{entry.title}</b>
                {entry.tag && <span class="tag">{entry.tag}</span>}
              </span>
              <span class="way">
                {entry.gate && <span class={`node gate ${entry.gate.kind}`}>{entry.gate.kind !== 'open' && <Lock />}{gate_name(entry.gate)}</span>}
                {entry.function && <span class="node name">{entry.function}</span>}
                <span class="line fleet">{!entry.gate ? entry.called : fleets[entry.function]?.processes ? `${fleets[entry.function].processes} warm` : 'cold'}</span>
              </span>
              <span class="line faint">
                {requests ? `${some(requests, entry.gate || !entry.function ? 'request' : 'invocation')}${entry.function ? ` · ${ms(entry.counts.p50_ms ?? counts.functions[entry.function]?.p50_ms)}` : ''}` : 'no request yet'}
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

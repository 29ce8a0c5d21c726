// What was asked and what became of it, the newest first.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Inside, Reason, Timings } from './exchange.jsx'
import { read } from './net.js'
import { Badge, Choice, Code, Empty, Method, Problem } from './parts.jsx'
import { href } from './state.js'
import { draft_from } from './try.jsx'
import { moment, ms, refusal } from './words.js'

const PAGE = 60

export function History({ service, live, id }) {
  const [wanted, setWanted] = useState({ q: '', function: '', status: '' })
  const [found, setFound] = useState(null)
  const [limit, setLimit] = useState(PAGE)
  const [error, setError] = useState(null)
  const mark = live?.mark
  const latest = useRef(mark)
  latest.current = mark
  // Asks when something is new; a search that takes long rests four times as long.
  useEffect(() => {
    let ended = false
    let timer
    let seen = null
    const turn = async () => {
      const began = performance.now()
      const fresh = seen === null || seen !== latest.current
      if (fresh) {
        seen = latest.current ?? ''
        try {
          const rows = await read('history', { ...wanted, limit })
          if (ended) return
          setFound(rows)
          setError(null)
        } catch (refused) {
          if (ended) return
          setError(refused)
        }
      }
      timer = setTimeout(turn, fresh ? Math.max(200, 4 * (performance.now() - began)) : 200)
    }
    timer = setTimeout(turn, found ? 150 : 0)
    return () => {
      ended = true
      clearTimeout(timer)
    }
  }, [wanted, limit])
  useEffect(() => {
    const press = (event) => {
      const step = { j: 1, k: -1 }[event.key]
      if (!step || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || !found?.rows.length) return
      if (localStorage.getItem('bareboat.keys') === 'false') return
      const now = found.rows.findIndex((row) => row.id === id)
      const next = found.rows[Math.max(0, Math.min(found.rows.length - 1, now + step))]
      location.hash = href('history', next.id)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [found, id])
  const change = (part) => {
    setWanted({ ...wanted, ...part })
    setLimit(PAGE)
  }
  const filtered = wanted.q || wanted.function || wanted.status
  return (
    <section aria-labelledby="view" class={`history ${id ? 'with-detail' : ''}`}>
      <div class="list">
        <div class="row spread head">
          <h1 id="view">History</h1>
          <search class="row filter">
            <label class="pick bare">
              <span class="sr">Filter</span>
              <input id="filter" type="search" placeholder="path, body or log line" value={wanted.q} onInput={(event) => change({ q: event.currentTarget.value })} />
            </label>
            <Choice hidden label="Function" value={wanted.function} onChange={(value) => change({ function: value })} options={[['', 'every function'], ...service.functions.map((one) => [one.name, one.name])]} />
            <Choice hidden label="Status" value={wanted.status} onChange={(value) => change({ status: value })} options={[['', 'every answer'], ['2', '2xx'], ['4', '4xx'], ['5', '5xx'], ['error', 'failed'], ['cold', 'cold starts']]} />
          </search>
        </div>
        <Problem error={error} />
        {found && !found.rows.length && (
          <Empty title={filtered ? 'Nothing like that' : 'No request yet'}>
            {filtered ? (
              <button type="button" class="quiet" onClick={() => change({ q: '', function: '', status: '' })}>
                Show all
              </button>
            ) : (
              <>
                <a href={href('try')}>Send one</a>, or call the API with curl; it appears here.
              </>
            )}
          </Empty>
        )}
        {found?.rows.length > 0 && <Rows rows={found.rows} id={id} />}
        {found?.more && (
          <button type="button" class="quiet wide" onClick={() => setLimit(limit + PAGE * 2)}>
            Show more
          </button>
        )}
      </div>
      {id && <Detail key={id} id={id} service={service} />}
    </section>
  )
}

const named = (row) => row.path || row.function || 'could not be read as HTTP'

function Rows({ rows, id }) {
  return (
    <table class="log-table">
      <thead>
        <tr>
          <th scope="col">time</th>
          <th scope="col">answer</th>
          <th scope="col">request</th>
          <th scope="col" class="extra">
            function
          </th>
          <th scope="col" class="right">
            took
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id} class={row.id === id ? 'chosen' : ''} onClick={(event) => !event.target.closest('a') && !String(getSelection()) && (location.hash = href('history', row.id))}>
            <td class="time">{moment(row.at)}</td>
            <td>{row.status ? <Badge status={row.status} /> : <span class={`badge ${row.error ? 'bad' : 'good'}`}>{row.error ? 'failed' : 'ok'}</span>}</td>
            <td class="what">
              <a href={href('history', row.id)} aria-current={row.id === id ? 'true' : undefined}>
                {row.method ? <Method name={row.method} /> : row.source && <span class="method">{row.source}</span>}
                <span class="cut">{named(row)}</span>
              </a>
              {(row.error || row.refused) && <span class="why-line">{row.error || refusal(row.refused)}</span>}
            </td>
            <td class="extra">{row.function || <span class="faint">–</span>}</td>
            <td class="right figure">
              {row.cold && <span class="chip">cold</span>} {ms(row.latency_ms)}
              <span class="narrow-only when">{moment(row.at)}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Detail({ id, service }) {
  const [row, setRow] = useState(null)
  const [error, setError] = useState(null)
  const pane = useRef(null)
  useEffect(() => {
    let ended = false
    read('detail', { id })
      .then((found) => !ended && setRow(found))
      .catch((refused) => !ended && setError(refused))
    return () => {
      ended = true
    }
  }, [])
  useEffect(() => {
    if (row && matchMedia('(max-width: 1100px)').matches) pane.current?.scrollIntoView({ block: 'start' })
  }, [row])
  const again = () => {
    const target = draft_from(service, row)
    if (target) location.hash = href('try', target)
  }
  return (
    <aside class="detail" ref={pane} aria-label="One request">
      <div class="row spread">
        <h2 class="line">
          {row ? (
            <>
              {row.method ? <Method name={row.method} /> : row.source && <span class="method">{row.source}</span>}
              <span class="cut" title={named(row)}>
                {named(row)}
              </span>
            </>
          ) : (
            'One request'
          )}
        </h2>
        <a class="button quiet" href={href('history')}>
          Close
        </a>
      </div>
      <Problem error={error} />
      {row && (
        <>
          <section class="card">
            <div class="row spread">
              <div class="line">
                {row.status ? <Badge status={row.status} /> : <span class={`badge ${row.invocation_error ? 'bad' : 'good'}`}>{row.invocation_error ? 'failed' : 'returned'}</span>}
                <span>{moment(row.at)}</span>
                {row.cold && <span class="chip">cold start</span>}
              </div>
              {(row.method || row.source) && (
                <button type="button" onClick={again}>
                  Send again…
                </button>
              )}
            </div>
            <Timings detail={row} />
            <Reason detail={row} />
            <dl class="facts">
              {[
                ['route', row.route],
                ['authorizer', row.authorizer],
                ['API key', row.api_key],
                ['version', row.generation > 1 ? row.generation : null],
                ['request id', row.request_id || row.invocation_id],
              ]
                .filter(([, value]) => value)
                .map(([name, value]) => (
                  <div>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                  </div>
                ))}
            </dl>
          </section>
          {row.request && (
            <div class="pair">
              <section class="card">
                <h3>Request body</h3>
                <Code text={row.request.body} label="The body of the request" empty="No body." />
              </section>
              <section class="card">
                <h3>Answer body</h3>
                <Code text={row.response?.body} label="The body of the answer" empty="No body." />
              </section>
            </div>
          )}
          <Inside detail={row} />
        </>
      )}
    </aside>
  )
}

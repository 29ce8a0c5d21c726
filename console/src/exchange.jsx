// What became of a request: timings, what the handler was given and returned, its log.
import { Code, Log } from './parts.jsx'
import { ms, refusal } from './words.js'

export function Timings({ detail, took }) {
  if (!detail || (detail.duration_ms == null && detail.latency_ms == null)) return null
  const run = detail.duration_ms ?? 0
  const taken = detail.latency_ms ?? took ?? 0
  const early = detail.init_ms != null && taken > 0 && detail.init_ms + run > taken * 1.05 + 1 // a process that was started before anybody asked
  const init = early ? 0 : (detail.init_ms ?? 0)
  const whole = Math.max(taken, init + run)
  const rest = Math.max(0, whole - init - run)
  const parts = [
    ['gateway', rest, 'gateway and waiting'],
    ['init', init, 'cold start: init'],
    ['run', run, 'handler'],
  ].filter(([, value]) => value > 0)
  return (
    <div class="timings">
      <div class="stack" role="img" aria-label={parts.map(([, value, text]) => `${text} ${ms(value)}`).join(', ')}>
        {parts.map(([kind, value]) => (
          <span class={`t-${kind}`} style={{ flexGrow: Math.max(value / whole, 0.012) }} />
        ))}
      </div>
      <dl class="facts">
        {parts.map(([kind, value, text]) => (
          <div>
            <dt>
              <i class={`dot t-${kind}`} />
              {text}
            </dt>
            <dd>{ms(value)}</dd>
          </div>
        ))}
        {early && (
          <div>
            <dt>init, before the request came</dt>
            <dd>{ms(detail.init_ms)}</dd>
          </div>
        )}
        {detail.billed_ms != null && detail.billed_ms > 0 && (
          <div>
            <dt>billed</dt>
            <dd>{detail.billed_ms} ms</dd>
          </div>
        )}
        {!!detail.max_memory_mb && (
          <div>
            <dt>memory</dt>
            <dd>
              {detail.max_memory_mb} of {detail.memory_mb} MB
            </dd>
          </div>
        )}
      </dl>
    </div>
  )
}

export function Reason({ detail }) {
  if (!detail) return null
  const text = detail.error || (detail.refused && `refused: ${refusal(detail.refused)}`) || detail.invocation_error
  if (!text) return null
  const line = (detail.log ?? '').split('\n').find((each) => /\[ERROR\]|Task timed out|"errorMessage"|Runtime exited/.test(each))
  return (
    <div class="problem" role="note">
      <strong>{text}</strong>
      {line && <code>{line.slice(0, 400)}</code>}
    </div>
  )
}

export function Inside({ detail }) {
  if (!detail) return null
  if (!detail.invocation_id && detail.event == null) {
    return (
      <section class="card">
        <p class="faint">No function was called: the gateway answered by itself.</p>
      </section>
    )
  }
  return (
    <>
      <div class="pair">
        <section class="card">
          <h3>The handler received</h3>
          <Code text={detail.event} label="The event that the handler received" empty="not kept" />
        </section>
        <section class="card">
          <h3>The handler returned</h3>
          <Code text={detail.payload} label="What the handler returned" empty="not kept" />
        </section>
      </div>
      <section class="card">
        <h3>Log</h3>
        <Log text={detail.log} />
      </section>
    </>
  )
}

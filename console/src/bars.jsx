// Predictions and their explanation as bars.
import { useState } from 'preact/hooks'
import { ask } from './net.js'
import { Choice, Problem } from './parts.jsx'
import { number } from './words.js'

const predictions_of = (answer) => {
  if (!answer || typeof answer !== 'object') return []
  const list = Array.isArray(answer.predictions) ? answer.predictions : [answer]
  return list.filter((each) => each && typeof each === 'object' && (Array.isArray(each.proba) || typeof each.prediction === 'number'))
}

export function Predictions({ answer, labels }) {
  const found = predictions_of(answer)
  if (!found.length) return null
  return (
    <section class="card">
      <h3>Prediction</h3>
      {found.slice(0, 5).map((each, at) => (
        <div class="prediction">
          <p class="label">
            {found.length > 1 && <span class="faint">row {at + 1} </span>}
            <strong>{String(each.label ?? number(each.prediction))}</strong>
          </p>
          {each.proba && each.proba.length <= 30 && (
            <ul class="bars" aria-label="Probabilities">
              {each.proba.map((value, place) => (
                <li>
                  <span class="name">{String(labels[place] ?? place)}</span>
                  <span class="track">
                    <span class="bar" style={{ width: `${Math.max(0, Math.min(1, value)) * 100}%` }} />
                  </span>
                  <span class="figure">{(100 * value).toFixed(1)} %</span>
                </li>
              ))}
            </ul>
          )}
        </div>
      ))}
      {found.length > 5 && <p class="faint">{found.length - 5} more in the body.</p>}
    </section>
  )
}

const MOST = 14
const signed = (value) => number(value).replace('-', '−')

export function Explanation({ name, document }) {
  const [state, setState] = useState({})
  const [row, setRow] = useState('0')
  const [output, setOutput] = useState('')
  const explain = async () => {
    setState({ busy: true })
    try {
      const found = await ask('explain', { function: name, document })
      const score = found.rows[0].score
      setState({ found })
      setRow('0')
      setOutput(String(score.indexOf(Math.max(...score))))
    } catch (error) {
      setState({ error })
    }
  }
  const { found, error, busy } = state
  return (
    <section class="card" aria-live="polite">
      <div class="row spread">
        <h3>Why</h3>
        {!found && (
          <button type="button" class="quiet" disabled={busy} onClick={explain}>
            {busy ? 'Computing…' : 'Explain this prediction'}
          </button>
        )}
      </div>
      <Problem error={error} />
      {found && <Contributions found={found} row={+row} output={+output} document={document} />}
      {found && (
        <div class="row">
          {found.rows.length > 1 && <Choice label="row" value={row} onChange={setRow} options={found.rows.map((_, at) => [String(at), `row ${at + 1}`])} />}
          {found.outputs.length > 1 && <Choice label="score of" value={output} onChange={setOutput} options={found.outputs.map((text, at) => [String(at), text])} />}
        </div>
      )}
    </section>
  )
}

function Contributions({ found, row, output, document }) {
  const { values, score } = found.rows[row]
  const given = document?.instances?.[row] ?? document
  const all = values
    .map((each, at) => ({ name: found.inputs[at], value: each[output], given: Array.isArray(given) ? given[at] : given?.[found.inputs[at]] }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
  const shown = all.slice(0, MOST)
  const rest = all.slice(MOST).reduce((sum, each) => sum + each.value, 0)
  if (all.length > MOST) shown.push({ name: `${all.length - MOST} others`, value: rest })
  const most = Math.max(...shown.map((each) => Math.abs(each.value)), 1e-300)
  return (
    <figure class="why">
      <ul class="bars two" aria-label="What each input adds to the raw score">
        {shown.map((each) => (
          <li>
            <span class="name">
              {each.name}
              {each.given !== undefined && <em> {number(each.given)}</em>}
            </span>
            <span class="track">
              <span class={each.value < 0 ? 'bar minus' : 'bar plus'} style={{ width: `${(Math.abs(each.value) / most) * 50}%` }} />
            </span>
            <span class="figure">
              {each.value < 0 ? '−' : '+'}
              {number(Math.abs(each.value))}
            </span>
          </li>
        ))}
      </ul>
      <figcaption>
        {signed(found.base[output])} on average, and what each input adds: {signed(score[output])}, the {found.outputs.length > 1 ? `raw score of ${found.outputs[output]}` : found.outputs[0]}.
        <span class="faint"> Exact SHAP values, {found.kind}.</span>
      </figcaption>
    </figure>
  )
}

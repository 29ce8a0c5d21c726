// Usage and latency over time.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { read } from './net.js'
import { Choice, Empty, Problem } from './parts.jsx'
import { href, useKept, useWidth } from './state.js'
import { clock, count, ms } from './words.js'

const RANGES = [['300', '5 minutes'], ['3600', '1 hour'], ['21600', '6 hours'], ['86400', '24 hours']]
const FIGURES = [
  {
    title: 'Requests a second',
    lines: [
      ['requests_s', 'requests', 'a'],
      ['errors_s', 'errors', 'bad'],
    ],
    form: (value) => (value == null ? '–' : value < 10 ? String(+value.toFixed(2)) : count(Math.round(value))),
  },
  {
    title: 'Latency',
    lines: [
      ['p50_ms', 'p50', 'a'],
      ['p90_ms', 'p90', 'b'],
      ['p99_ms', 'p99', 'c'],
    ],
    form: ms,
  },
  {
    title: 'Concurrency and cold starts',
    whole: true,
    lines: [
      ['concurrency', 'at the same time', 'a'],
      ['cold', 'cold starts', 'd', 'points'],
    ],
    form: (value) => (value == null ? '–' : String(+value.toFixed(1))),
  },
]

export function Charts({ service, live, theme }) {
  const [name, setName] = useState('')
  const [seconds, setSeconds] = useKept('range', '300')
  const [found, setFound] = useState(null)
  const [error, setError] = useState(null)
  const [element, width] = useWidth()
  const mark = useRef('')
  mark.current = live?.mark ?? ''
  useEffect(() => {
    let ended = false
    let timer
    let seen = null
    let at = 0
    const turn = async () => {
      const began = performance.now()
      const stale = began - at > (1000 * seconds) / 100
      if (document.visibilityState === 'visible' && (seen !== mark.current || stale)) {
        seen = mark.current
        at = began
        try {
          const { columns } = await read('metrics', { function: name, seconds, buckets: 100 })
          if (ended) return
          setFound(columns)
          setError(null)
        } catch (refused) {
          if (ended) return
          setError(refused)
        }
      }
      timer = setTimeout(turn, Math.max(1000, 4 * (performance.now() - began)))
    }
    turn()
    return () => {
      ended = true
      clearTimeout(timer)
    }
  }, [name, seconds])
  const empty = found && !found.requests_s?.some((each) => each > 0)
  return (
    <section aria-labelledby="view">
      <div class="row spread head">
        <h1 id="view">Charts</h1>
        <div class="row">
          <Choice hidden label="Function" value={name} onChange={setName} options={[['', 'every function'], ...service.functions.map((one) => [one.name, one.name])]} />
          <Choice hidden label="Time" value={seconds} onChange={setSeconds} options={RANGES} />
        </div>
      </div>
      <Problem error={error} />
      <div ref={element} class="charts">
        {empty && (
          <Empty title={`No request in the last ${RANGES.find(([key]) => key === seconds)?.[1] ?? ''}`}>
            <a href={href('try')}>Send one</a>, or look further back.
          </Empty>
        )}
        {found && !empty && width > 0 && FIGURES.map((figure) => <Chart key={figure.title} figure={figure} columns={found} width={width} theme={theme} />)}
      </div>
    </section>
  )
}

// A value between two that are missing has no line: it is drawn as a point.
const lonely = (self, series) => {
  const values = self.data[series]
  return values.map((value, at) => (value != null && values[at - 1] == null && values[at + 1] == null ? at : -1)).filter((at) => at >= 0)
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

function Chart({ figure, columns, width, theme }) {
  const box = useRef(null)
  const plot = useRef(null)
  const data = useMemo(() => [columns.at, ...figure.lines.map(([key]) => columns[key] ?? [])], [columns])
  const [at, setAt] = useState(null)
  useEffect(() => {
    const ink = colour('--muted')
    const line = colour('--line')
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 }, font: '12px system-ui, sans-serif' }
    const made = new uPlot(
      {
        width: width - 34,
        height: 172,
        padding: [10, 26, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1e-9) * 1.12 || 1] } },
        axes: [
          { ...axis, space: 84, size: 30, values: (_, ticks) => ticks.map((tick) => clock(tick).replace(/:00$/, '')) },
          { ...axis, size: 62, ...(figure.whole ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] } : {}), values: (_, ticks) => ticks.map((tick) => (tick === 0 ? '0' : figure.form(tick))) },
        ],
        series: [
          {},
          ...figure.lines.map(([, , tone, form]) => ({
            stroke: colour(`--chart-${tone}`),
            fill: tone === 'a' ? `${colour('--chart-a')}1f` : undefined,
            width: 1.75,
            spanGaps: false,
            ...(form === 'points' ? { paths: () => null, points: { show: true, size: 6, fill: colour(`--chart-${tone}`), filter: (self, series) => self.data[series].map((value, place) => (value > 0 ? place : -1)).filter((place) => place >= 0) } } : { points: { show: true, size: 5, fill: colour(`--chart-${tone}`), filter: lonely } }),
          })),
        ],
        hooks: { setCursor: [(self) => setAt(self.cursor.idx ?? null)] },
      },
      data,
      box.current,
    )
    plot.current = made
    return () => made.destroy()
  }, [width, theme])
  useEffect(() => {
    plot.current?.setData(data)
  }, [data])
  const last = columns.at.length - 1
  const shown = at ?? last
  return (
    <figure class="card chart">
      <figcaption class="row spread">
        <h2>{figure.title}</h2>
        <span class="row legend">
          {at != null && <span class="faint">{clock(columns.at[shown])}</span>}
          {figure.lines.map(([key, text, tone]) => (
            <span>
              <i class={`dot c-${tone}`} /> {text} <b class="figure">{at != null ? figure.form(columns[key]?.[shown]) : peak(figure, columns[key])}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={box} role="img" aria-label={`${figure.title}: ${figure.lines.map(([key, text]) => `${text} at most ${peak(figure, columns[key])}`).join(', ')}`} />
      <details>
        <summary>as a table</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={`${figure.title} as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">time</th>
                {figure.lines.map(([, text]) => (
                  <th scope="col" class="right">
                    {text}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {columns.at
                .map((moment, place) => [moment, place])
                .filter(([, place]) => columns.requests_s[place] > 0)
                .reverse()
                .map(([moment, place]) => (
                  <tr>
                    <td>{clock(moment)}</td>
                    {figure.lines.map(([key]) => (
                      <td class="right figure">{figure.form(columns[key]?.[place])}</td>
                    ))}
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}

const peak = (figure, column) => {
  const known = (column ?? []).filter((value) => value != null)
  return known.length ? `${figure.form(Math.max(...known))} max` : '–'
}

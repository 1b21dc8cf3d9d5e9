/** One figure of the scale run: how cost grows with `x`, ours and others'. Both axes are logarithmic. */
export interface Chart {
  /** The SVG's file name, without its ending. */
  readonly id: string
  readonly title: string
  /** What is done, and what is counted. */
  readonly text: string
  readonly x: string
  readonly y: string
  /** The first is ours. */
  readonly lines: readonly Line[]
  /** What a reader should see, where the figures do not speak for themselves. */
  readonly note?: string
}

export interface Line {
  readonly name: string
  readonly points: readonly Point[]
}

export interface Point {
  readonly x: number
  readonly y: number
}

const WIDTH = 720
const HEIGHT = 400
const AREA = { left: 76, right: 692, top: 62, bottom: 340 }

/** Blue, orange and grey of about the same lightness, which stand out from white and from black; each line has a mark of its own, too. */
const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: #3d4650; }
  .title { font-size: 15px; font-weight: 600; }
  .small { font-size: 12px; }
  .grid { stroke: #8b949e; stroke-opacity: 0.28; }
  .axis { stroke: #8b949e; }
  .line { fill: none; stroke-width: 2.25; stroke-linejoin: round; }
  .c0 { stroke: #1f77d0; } .f0 { fill: #1f77d0; }
  .c1 { stroke: #d9730d; } .f1 { fill: #d9730d; }
  .c2 { stroke: #7d8590; } .f2 { fill: #7d8590; }
  @media (prefers-color-scheme: dark) {
    text { fill: #c9d1d9; }
    .c0 { stroke: #58a6ff; } .f0 { fill: #58a6ff; }
    .c1 { stroke: #f0883e; } .f1 { fill: #f0883e; }
    .c2 { stroke: #9aa4ae; } .f2 { fill: #9aa4ae; }
  }`

/** The chart as an SVG with a text alternative; without a background, for light and dark pages. */
export function toSvg(chart: Chart): string {
  const points = chart.lines.flatMap((line) => line.points)
  const xs = across(points.map(({ x }) => x))
  const ys = upwards(points.map(({ y }) => y))
  const alternative = chart.lines.map((line) => `${line.name}: ${endsOf(line, chart)}`).join('; ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title text">
<title id="title">${escape(chart.title)}</title>
<desc id="text">${escape(`${chart.text} ${alternative}.`)}</desc>
<style>${STYLE}
</style>
<text class="title" x="${AREA.left}" y="22">${escape(chart.title)}</text>
${legend(chart.lines)}
${axes(xs, ys)}
<text x="${(AREA.left + AREA.right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escape(chart.x)}</text>
<text transform="translate(18 ${(AREA.top + AREA.bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(chart.y)}</text>
${chart.lines.map((line, i) => lineOf(line, i, xs, ys)).join('\n')}
</svg>
`
}

interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

/** A logarithmic axis over these values exactly. */
function across(values: readonly number[]): Scale {
  const [least, greatest] = [Math.min(...values), Math.max(...values)]
  const ticks = ticksAround(least, greatest).filter((tick) => tick >= least * 0.999 && tick <= greatest * 1.001)
  return { at: between(least, greatest, AREA.left, AREA.right), ticks }
}

/** A logarithmic axis from tick to tick, over a decade at least, lest what is even should look steep. */
function upwards(values: readonly number[]): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const short = Math.max(1, Math.sqrt((10 * low) / high))
  const [least, greatest] = [low / short, high * short]
  const all = ticksAround(least, greatest)
  const first = Math.max(
    0,
    all.findLastIndex((tick) => tick <= least * 1.001),
  )
  const last = all.findIndex((tick) => tick >= greatest * 0.999)
  const ticks = all.slice(first, last + 1)
  return { at: between(ticks[0] as number, ticks.at(-1) as number, AREA.bottom, AREA.top), ticks }
}

function between(low: number, high: number, from: number, to: number): (value: number) => number {
  return (value) => from + (Math.log(value / low) / Math.log(high / low)) * (to - from)
}

/** Round numbers, and some beyond either end. */
function ticksAround(least: number, greatest: number): number[] {
  const decades = Math.log10(greatest / least)
  const steps = decades > 2.2 ? [1] : decades > 1.1 ? [1, 3] : decades > 0.9 ? [1, 2, 5] : [1, 2, 3, 4, 6, 8]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(least)) - 1; power <= Math.ceil(Math.log10(greatest)); power++)
    for (const step of steps) ticks.push(step * 10 ** power)
  return ticks
}

function axes(xs: Scale, ys: Scale): string {
  const along = xs.ticks.map((tick) => {
    const x = round(xs.at(tick))
    return `<path class="grid" d="M${x} ${AREA.top}V${AREA.bottom}"/><text class="small" x="${x}" y="${AREA.bottom + 18}" text-anchor="middle">${short(tick)}</text>`
  })
  const up = ys.ticks.map((tick) => {
    const y = round(ys.at(tick))
    return `<path class="grid" d="M${AREA.left} ${y}H${AREA.right}"/><text class="small" x="${AREA.left - 8}" y="${y + 4}" text-anchor="end">${short(tick)}</text>`
  })
  const frame = `<path class="axis" fill="none" d="M${AREA.left} ${AREA.top}V${AREA.bottom}H${AREA.right}"/>`
  return [...along, ...up, frame].join('\n')
}

function legend(lines: readonly Line[]): string {
  let x = AREA.left
  return lines
    .map(({ name }, i) => {
      const entry = `<path class="line c${i}" d="M${x} 42h26"/>${mark(x + 13, 42, i)}<text x="${x + 33}" y="46">${escape(name)}</text>`
      x += 56 + name.length * 7.4
      return entry
    })
    .join('\n')
}

function lineOf({ points }: Line, index: number, xs: Scale, ys: Scale): string {
  const at = points.map(({ x, y }) => [round(xs.at(x)), round(ys.at(y))] as const)
  const path = at.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x} ${y}`).join('')
  return `<path class="line c${index}" d="${path}"/>\n${at.map(([x, y]) => mark(x, y, index)).join('')}`
}

/** A disc, a square, a triangle. */
function mark(x: number, y: number, index: number): string {
  if (index === 0) return `<circle class="f0" cx="${x}" cy="${y}" r="4"/>`
  if (index === 1) return `<rect class="f1" x="${round(x - 3.6)}" y="${round(y - 3.6)}" width="7.2" height="7.2"/>`
  return `<path class="f2" d="M${x} ${round(y - 4.6)}l4.6 8.2h-9.2z"/>`
}

/** The chart as a section of Markdown: text, plot, table. */
export function toSection(chart: Chart, plots: string): string {
  const xs = [...new Set(chart.lines.flatMap(({ points }) => points.map(({ x }) => x)))]
  const head = [chart.x, ...chart.lines.map(({ name }) => name), `${chart.lines[0]?.name} / ${chart.lines[1]?.name}`]
  const rows = xs.map((x) => {
    const ys = chart.lines.map(({ points }) => points.find((point) => point.x === x)?.y)
    const [ours, theirs] = ys
    const ratio = ours === undefined || theirs === undefined ? '' : (ours / theirs).toFixed(2)
    return [x.toLocaleString('en'), ...ys.map((y) => (y === undefined ? '' : figure(y))), ratio]
  })
  const cells = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...cells.map((line) => (line[i] as string).length)))
  const text = (line: readonly string[], pad: string): string =>
    `| ${line.map((value, i) => value.padStart(widths[i] as number, pad)).join(' | ')} |`
  const rule = `| ${widths.map((width) => `${'-'.repeat(width - 1)}:`).join(' | ')} |`
  const table = [text(head, ' '), rule, ...rows.map((line) => text(line, ' '))].join('\n')
  const picture = `![${chart.title}](${plots}/${chart.id}.svg)`
  const parts = [`## ${chart.title}`, chart.text, picture, `${chart.y}:`, table, growthText(chart)]
  return [...parts, ...(chart.note === undefined ? [] : [chart.note])].join('\n\n')
}

/** How steeply a line grows at its steepest: the power of x over a decade, or over all of it where it is shorter. 1 is linear. */
export function growth({ points }: Line): number {
  let steepest = Number.NEGATIVE_INFINITY
  const span = Math.min(9.9, (points.at(-1)?.x ?? 1) / (points[0]?.x ?? 1))
  for (const [i, from] of points.entries()) {
    const to = points.slice(i + 1).find(({ x }) => x >= span * from.x)
    if (to !== undefined) steepest = Math.max(steepest, Math.log(to.y / from.y) / Math.log(to.x / from.x))
  }
  return steepest === Number.NEGATIVE_INFINITY ? 0 : steepest
}

function growthText({ lines }: Chart): string {
  const powers = lines.map((line) => `${line.name} ${growth(line).toFixed(2)}`)
  return `Steepest growth over a decade, as a power (1 is linear): ${powers.join(', ')}.`
}

function endsOf({ points }: Line, { x, y }: Chart): string {
  const [first, last] = [points[0] as Point, points.at(-1) as Point]
  return `${figure(first.y)} at ${amount(first.x)}, ${figure(last.y)} at ${amount(last.x)} (${y}, by ${x})`
}

function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3)
}

function amount(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 6 })
}

/** 10k for 10,000, 1M for a million. */
function short(value: number): string {
  if (value >= 1e6) return `${amount(value / 1e6)}M`
  return value >= 10_000 ? `${amount(value / 1000)}k` : amount(value)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** One series that only grows. `value` is a plain field: counting on the hot path is one addition. */
export interface Counter {
  value: number
}

/** One series of durations, in seconds. */
export interface Histogram {
  observe(seconds: number): void
}

/** Everything Weir counts, as Prometheus reads it. Ask for a series once, when a chain is composed, and keep it. */
export interface Metrics {
  counter(name: string, help: string, labels: Readonly<Record<string, string>>): Counter
  histogram(name: string, help: string, labels: Readonly<Record<string, string>>): Histogram
  /** `read` runs at scrape time only. */
  gauge(name: string, help: string, read: () => number): void
  /** Series that are counted elsewhere: `read` says at scrape time which there are. It bounds their number itself. */
  collect(name: string, help: string, type: 'counter' | 'gauge', read: () => Iterable<Sample>): void
  /** The Prometheus text exposition format, version 0.0.4. */
  render(): string
}

/** One series as it was read just now. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly series: Map<string, { render(): string; readonly handle: unknown }>
}

/** From a cached lookup to a call that ran into its 30 s deadline. */
const bucketBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** More series than this share one, labelled `_other`: labels come from the catalog, and a catalog can be huge. */
const seriesMax = 20_000

/** A registry of its own; two Weirs in one process do not share counters. */
export function createMetrics(): Metrics {
  const families = new Map<string, Family>()
  let seriesCount = 0

  const series = <T>(
    type: Family['type'],
    name: string,
    help: string,
    labels: Readonly<Record<string, string>>,
    create: (key: string) => { render(): string; readonly handle: T },
  ): T => {
    let family = families.get(name)
    if (family === undefined) {
      family = { name, help, type, series: new Map() }
      families.set(name, family)
    }
    let key = renderLabels(labels)
    if (!family.series.has(key) && seriesCount >= seriesMax) {
      key = renderLabels(Object.fromEntries(Object.keys(labels).map((label) => [label, '_other'])))
    }
    let found = family.series.get(key)
    if (found === undefined) {
      found = create(key)
      family.series.set(key, found)
      seriesCount += 1
    }
    return found.handle as T
  }

  return {
    counter: (name, help, labels) =>
      series('counter', name, help, labels, (key) => {
        const handle: Counter = { value: 0 }
        return { handle, render: () => `${name}${braced(key)} ${handle.value}\n` }
      }),
    histogram: (name, help, labels) =>
      series('histogram', name, help, labels, (key) => createHistogram(name, key)),
    gauge(name, help, read) {
      series('gauge', name, help, {}, () => ({ handle: undefined, render: () => `${name} ${read()}\n` }))
    },
    collect(name, help, type, read) {
      const line = ({ labels, value }: Sample) => `${name}${braced(renderLabels(labels))} ${value}\n`
      series(type, name, help, {}, () => ({
        handle: undefined,
        render: () => [...read()].map(line).join(''),
      }))
    },
    render: () => [...families.values()].map(renderFamily).join(''),
  }
}

function createHistogram(name: string, key: string): { render(): string; readonly handle: Histogram } {
  const counts = new Float64Array(bucketBounds.length + 1)
  let sum = 0
  const handle: Histogram = {
    observe(seconds) {
      sum += seconds
      let i = 0
      while (i < bucketBounds.length && seconds > bucketBounds[i]!) i += 1
      counts[i]! += 1
    },
  }
  const render = () => {
    let total = 0
    const lines = [...bucketBounds.map(String), '+Inf'].map((bound, i) => {
      total += counts[i]!
      return `${name}_bucket{${key === '' ? '' : `${key},`}le="${bound}"} ${total}\n`
    })
    return `${lines.join('')}${name}_sum${braced(key)} ${sum}\n${name}_count${braced(key)} ${total}\n`
  }
  return { handle, render }
}

function renderFamily({ name, help, type, series }: Family): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${[...series.values()].map((one) => one.render()).join('')}`
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(
      ([label, value]) => `${label}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`,
    )
    .join(',')
}

function braced(key: string): string {
  return key === '' ? '' : `{${key}}`
}

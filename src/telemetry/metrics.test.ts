import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Reads the Prometheus text format, version 0.0.4, as strictly as Prometheus does. */
function parseExposition(text: string): { types: Record<string, string>; samples: Sample[] } {
  expect(text === '' || text.endsWith('\n')).toBe(true)
  const types: Record<string, string> = {}
  const samples: Sample[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line)
    if (type !== null) {
      expect(types[type[1]!], 'a family appears once').toBeUndefined()
      types[type[1]!] = type[2]!
    } else if (!/^# HELP [a-z_]+ [^\\]+$/.test(line)) samples.push(parseSample(line))
  }
  return { types, samples }
}

function parseSample(line: string): Sample {
  const match = /^([a-z_]+)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/s.exec(line)
  if (match === null) throw new Error(`no sample: ${line}`)
  const labels: Record<string, string> = {}
  let rest = match[2] ?? ''
  while (rest !== '') {
    const label = /^([a-z_]+)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/.exec(rest)
    if (label === null) throw new Error(`no label: ${rest}`)
    labels[label[1]!] = label[2]!.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char))
    rest = rest.slice(label[0].length)
  }
  return { name: match[1]!, labels, value: Number(match[3]) }
}

describe('the exposition', () => {
  it('of nothing is empty', () => {
    expect(createMetrics().render()).toBe('')
  })

  it('holds each family once, with its help and type before its series', () => {
    const metrics = createMetrics()
    metrics.counter('calls_total', 'Calls.', { tool: 'a' }).value += 3
    metrics.gauge('active', 'Running now.', () => 2)
    metrics.counter('calls_total', 'Calls.', { tool: 'b' })
    expect(metrics.render()).toBe(
      [
        '# HELP calls_total Calls.',
        '# TYPE calls_total counter',
        'calls_total{tool="a"} 3',
        'calls_total{tool="b"} 0',
        '# HELP active Running now.',
        '# TYPE active gauge',
        'active 2',
        '',
      ].join('\n'),
    )
  })

  it('survives any label value', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 1 }), (tools) => {
        const metrics = createMetrics()
        tools.forEach((tool, i) => {
          metrics.counter('calls_total', 'Calls.', { tool, status: 'success' }).value = i
        })
        const { samples } = parseExposition(metrics.render())
        expect(samples).toEqual(
          tools.map((tool, value) => ({ name: 'calls_total', labels: { tool, status: 'success' }, value })),
        )
      }),
    )
  })

  it('escapes backslash, quote and line end', () => {
    const metrics = createMetrics()
    metrics.counter('calls_total', 'Calls.', { tool: 'a\\b"c\nd' })
    expect(metrics.render()).toContain('calls_total{tool="a\\\\b\\"c\\nd"} 0\n')
  })
})

describe('a series', () => {
  it('is the same handle for the same labels, and counts once', () => {
    const metrics = createMetrics()
    const one = metrics.counter('calls_total', 'Calls.', { tool: 'a' })
    expect(metrics.counter('calls_total', 'Calls.', { tool: 'a' })).toBe(one)
    expect(metrics.histogram('ms', 'Time.', { tool: 'a' })).toBe(
      metrics.histogram('ms', 'Time.', { tool: 'a' }),
    )
  })

  it('belongs to one registry', () => {
    const [one, two] = [createMetrics(), createMetrics()]
    one.counter('calls_total', 'Calls.', {}).value += 1
    expect(two.render()).toBe('')
  })

  it('of a gauge is read when it is rendered, and not before', () => {
    const metrics = createMetrics()
    let reads = 0
    metrics.gauge('active', 'Running now.', () => (reads += 1))
    expect(reads).toBe(0)
    metrics.render()
    expect(metrics.render()).toContain('active 2\n')
  })
})

describe('collected series', () => {
  it('are those that there are when it is rendered, each with its labels', () => {
    const metrics = createMetrics()
    const sockets = new Map<string, number>()
    metrics.collect('sockets', 'Open now.', 'gauge', () =>
      [...sockets].map(([client, value]) => ({ labels: { client }, value })),
    )
    expect(metrics.render()).toBe('# HELP sockets Open now.\n# TYPE sockets gauge\n')
    sockets.set('a"b', 2).set('c', 0)
    expect(parseExposition(metrics.render()).samples).toEqual([
      { name: 'sockets', labels: { client: 'a"b' }, value: 2 },
      { name: 'sockets', labels: { client: 'c' }, value: 0 },
    ])
  })
})

describe('a histogram', () => {
  const of = (...seconds: number[]) => {
    const metrics = createMetrics()
    const histogram = metrics.histogram('call_seconds', 'Time.', { tool: 'a' })
    for (const one of seconds) histogram.observe(one)
    const { types, samples } = parseExposition(metrics.render())
    expect(types).toEqual({ call_seconds: 'histogram' })
    return {
      buckets: samples.filter(({ name }) => name === 'call_seconds_bucket'),
      sum: samples.find(({ name }) => name === 'call_seconds_sum')?.value,
      count: samples.find(({ name }) => name === 'call_seconds_count')?.value,
    }
  }

  it('counts up through its buckets, up to +Inf, which holds all', () => {
    const { buckets, sum, count } = of(0.001, 0.0011, 0.3, 31)
    expect(buckets.map(({ labels }) => labels['le'])).toEqual([
      '0.001',
      '0.0025',
      '0.005',
      '0.01',
      '0.025',
      '0.05',
      '0.1',
      '0.25',
      '0.5',
      '1',
      '2.5',
      '5',
      '10',
      '30',
      '+Inf',
    ])
    expect(buckets.map(({ value }) => value)).toEqual([1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4])
    expect(sum).toBeCloseTo(31.3021)
    expect(count).toBe(4)
  })

  it('never goes down, whatever is observed', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true })), (seconds) => {
        const { buckets, count } = of(...seconds)
        for (const { labels, value } of buckets) {
          const le = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le'])
          expect(value).toBe(seconds.filter((one) => one <= le).length)
        }
        expect(count).toBe(seconds.length)
      }),
    )
  })
})

describe('the bound on series', () => {
  it('is 20,000: more share one labelled _other, and none is lost', () => {
    const metrics = createMetrics()
    const count = (tool: string) => {
      metrics.counter('calls_total', 'Calls.', { tool, status: 'success' }).value += 1
    }
    for (let i = 0; i < 20_100; i += 1) count(`tool-${i}`)
    count('tool-7')
    const { samples } = parseExposition(metrics.render())
    expect(samples).toHaveLength(20_001)
    expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(20_101)
    expect(samples.at(-1)).toEqual({
      name: 'calls_total',
      labels: { tool: '_other', status: '_other' },
      value: 100,
    })
    expect(samples[7]?.value).toBe(2)
  })
})

import { describe, expect, it } from 'vitest'
import type { Config } from './config.ts'
import { isIdle, planReload } from './plan-reload.ts'

const config = (more: Partial<Config>): Config =>
  ({
    connections: {},
    policies: {},
    toolsets: {},
    server: { port: 1 },
    log: { level: 'info' },
    ...more,
  }) as Config
const sql = (config: unknown) => ({ type: 'sql', config })

describe('R14: what another configuration would change', () => {
  it('is nothing where it says the same', () => {
    const both = { connections: { a: sql({ url: 'x' }) } }
    expect(isIdle(planReload(config(both), config(structuredClone(both))))).toBe(true)
  })

  it('is told by name, without a value', () => {
    const before = config({ connections: { a: sql({ url: 'secret-1' }), b: sql({}), c: sql({}) } })
    const after = config({ connections: { a: sql({ url: 'secret-2' }), c: sql({}), d: sql({}) } })
    const plan = planReload(before, after)
    expect(plan.connections).toEqual({ added: ['d'], changed: ['a'], removed: ['b'] })
    expect(JSON.stringify(plan)).not.toContain('secret')
    expect(isIdle(plan)).toBe(false)
  })

  it('tells what is taken over at once from what waits for the next start', () => {
    const server = { port: 2, toolset: 'small' } as Config['server']
    const log = { level: 'debug' } as Config['log']
    const plan = planReload(config({}), config({ server, log, policies: { '*': { timeoutMs: 1 } } }))
    expect(plan).toMatchObject({
      policies: { added: ['*'] },
      applied: ['server.toolset', 'log'],
      atNextStart: ['server.port'],
    })
  })
})

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Run } from '../../core/call.ts'
import type { Outcome, Result } from '../../core/outcome.ts'
import { InputRequired } from '../../core/outcome.ts'
import { type JsonSchema, jsonSchema, type Schema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { validateStage } from './validate.ts'

/** A tool as an upstream server declares it. */
const foreign = { definition: { name: 'echo' } }
const number = jsonSchema({ type: 'object', properties: { n: { type: 'number' } }, required: ['n'] })
const answer =
  (result: Result): Run =>
  async () => ({ kind: 'complete', result })

function wrap(tool: Partial<Tool>, next: Run = answer({})) {
  const entry = createEntry(tool)
  const run = validateStage.wrap(entry, policy, next)
  return (input: unknown = {}) => run(createCall(entry, { input }))
}

describe('B-121: what goes in', () => {
  it('reaches the tool only where it fits', async () => {
    const inputs: unknown[] = []
    const call = wrap({ input: number }, async ({ input }) => {
      inputs.push(input)
      return { kind: 'complete', result: {} }
    })
    await call({ n: 1 })
    await expect(call({ n: 'one' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect(inputs).toEqual([{ n: 1 }])
  })

  it('is refused with every issue, for people and for programs', async () => {
    await expect(wrap({ input: number })({ n: 'one' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'Invalid arguments for box:echo: /n must be number.',
      data: { issues: [{ path: '/n', message: 'must be number' }] },
    })
    await expect(wrap({ input: number })({})).rejects.toMatchObject({
      message: "Invalid arguments for box:echo: the value must have required property 'n'.",
    })
  })

  it('is checked against a Zod schema too', async () => {
    const call = wrap({ input: z.strictObject({ to: z.array(z.email()), copies: z.int().default(1) }) })
    await expect(call({ to: ['ada@example.com'] })).resolves.toMatchObject({ kind: 'complete' })
    await expect(call({ to: ['ada'] })).rejects.toMatchObject({ data: { issues: [{ path: '/to/0' }] } })
    await expect(call({ to: [], tpyo: 1 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('is not touched: no coercion, no defaults', async () => {
    const input = { n: 1, more: { deep: true } }
    let seen: unknown
    await wrap({ input: number }, async (call) => {
      seen = call.input
      return { kind: 'complete', result: {} }
    })(input)
    expect(seen).toBe(input)
    await expect(wrap({ input: number })({ n: '1' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('never throws at once: the stages around rely on a rejection', () => {
    for (const input of [number, jsonSchema({ $ref: 'urn:x:nowhere' })]) {
      const promise = wrap({ input })({})
      expect(promise).toBeInstanceOf(Promise)
      promise.catch(() => {})
    }
  })
})

describe('a schema', () => {
  /** Counts how often the schema is asked to say itself. */
  const countReads = (document: JsonSchema): { schema: Schema; reads: () => number } => {
    let reads = 0
    const schema = jsonSchema(document)
    const input = () => {
      reads += 1
      return document
    }
    return { schema: { '~standard': { ...schema['~standard'], jsonSchema: { input } } }, reads: () => reads }
  }

  it('is read with the first call, and once', async () => {
    const input = countReads({ type: 'object' })
    const output = countReads({ type: 'object' })
    const call = wrap(
      { ...foreign, input: input.schema, output: output.schema },
      answer({ structuredContent: {} }),
    )
    expect([input.reads(), output.reads()]).toEqual([0, 0])
    await call()
    await call()
    expect([input.reads(), output.reads()]).toEqual([1, 1])
  })

  it('that cannot be used is refused with each call, and compiled once', async () => {
    const bad = countReads({ type: 'no-such-type' })
    const call = wrap({ input: bad.schema })
    for (let i = 0; i < 3; i += 1) {
      await expect(call()).rejects.toMatchObject({
        code: 'UPSTREAM_PROTOCOL',
        message: expect.stringMatching(/^The schema of box:echo cannot be used: .+\.$/),
      })
    }
    expect(bad.reads()).toBe(1)
  })

  it('S17: that never comes to an end is the tool’s fault, not ours', async () => {
    const circle = jsonSchema({ properties: { n: { $ref: '#/properties/n' } } })
    await expect(wrap({ input: circle })({ n: 1 })).rejects.toMatchObject({
      code: 'UPSTREAM_PROTOCOL',
      message: 'The schema of box:echo cannot be used: its references lead in a circle.',
    })
  })

  it('of an answer that cannot be used is known before the tool has its effect', async () => {
    let ran = false
    const call = wrap({ ...foreign, output: jsonSchema({ $ref: 'urn:x:nowhere' }) }, async () => {
      ran = true
      return { kind: 'complete', result: {} }
    })
    await expect(call()).rejects.toMatchObject({ code: 'UPSTREAM_PROTOCOL' })
    expect(ran).toBe(false)
  })
})

describe('B-121: what comes out', () => {
  it('of a foreign tool is held to what it said', async () => {
    const call = (structuredContent: unknown) =>
      wrap({ ...foreign, output: number }, answer({ structuredContent }))()
    await expect(call({ n: 1 })).resolves.toMatchObject({ kind: 'complete' })
    await expect(call({ n: 'one' })).rejects.toMatchObject({
      code: 'INVALID_OUTPUT',
      message: 'box:echo broke its own output schema: /n must be number.',
      data: { issues: [{ path: '/n', message: 'must be number' }] },
    })
  })

  it('of our own tools is not checked on each call', async () => {
    const call = wrap({ output: number }, answer({ structuredContent: { n: 'one' } }))
    await expect(call()).resolves.toMatchObject({ kind: 'complete' })
  })

  it.each<[string, Outcome]>([
    [
      'an error, which has a shape of its own',
      { kind: 'complete', result: { isError: true, structuredContent: 'x' } },
    ],
    ['text without data', { kind: 'complete', result: { content: [{ type: 'text', text: 'x' }] } }],
    ['a question', { kind: 'input-required', required: new InputRequired({}) }],
  ])('is passed on where it is %s', async (_, outcome) => {
    await expect(wrap({ ...foreign, output: number }, async () => outcome)()).resolves.toBe(outcome)
  })

  it('is not reached by input that does not fit', async () => {
    const call = wrap({ ...foreign, input: number, output: number }, answer({ structuredContent: { n: 1 } }))
    await expect(call({})).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})

import { describe, expect, it } from 'vitest'
import { missingCapability, narrowCapabilities, readQuestion, withoutQuestions } from './questions.ts'
import { findRevision } from './revisions/index.ts'

const question = (method: string, params: object = {}) => ({ method, params: { ...params } })
const form = question('elicitation/create')
const url = question('elicitation/create', { mode: 'url' })
const sampling = question('sampling/createMessage')
const withTools = question('sampling/createMessage', { tools: [] })
const withChoice = question('sampling/createMessage', { toolChoice: { mode: 'none' } })
const roots = question('roots/list')

describe('what a client must declare to be asked', () => {
  it.each([
    [form, {}, { elicitation: {} }],
    [form, { elicitation: null }, { elicitation: {} }],
    [form, { elicitation: {} }, undefined],
    [form, { elicitation: { form: {} } }, undefined],
    [form, { elicitation: { applyDefaults: true } }, undefined],
    [form, { elicitation: { url: {} } }, { elicitation: { form: {} } }],
    [url, {}, { elicitation: { url: {} } }],
    [url, { elicitation: {} }, { elicitation: { url: {} } }],
    [url, { elicitation: { url: {} } }, undefined],
    [sampling, {}, { sampling: {} }],
    [sampling, { sampling: {} }, undefined],
    [withTools, { sampling: {} }, { sampling: { tools: {} } }],
    [withChoice, { sampling: {} }, { sampling: { tools: {} } }],
    [withTools, { sampling: { tools: {} } }, undefined],
    [roots, {}, { roots: {} }],
    [roots, { roots: { listChanged: true } }, undefined],
    [question('tasks/get'), {}, undefined],
  ])('%j with %j: %j', (asked, declared, missing) => {
    expect(missingCapability(asked, declared)).toEqual(missing)
  })

  it('is narrowed to what its revision knows', () => {
    const declared = {
      elicitation: { form: {}, url: {} },
      sampling: { tools: {} },
      roots: {},
      experimental: { a: 1 },
    }
    const narrow = (version: string) => narrowCapabilities(declared, findRevision(version)!)
    expect(narrow('2025-11-25')).toBe(declared)
    expect(narrow('2025-06-18')).toEqual({ ...declared, elicitation: {}, sampling: {} })
    const { elicitation: _, ...older } = declared
    expect(narrow('2025-03-26')).toEqual({ ...older, sampling: {} })
    expect(narrowCapabilities({}, findRevision('2025-06-18')!)).toEqual({})
    expect(withoutQuestions(declared)).toEqual({ experimental: { a: 1 } })
  })
})

it('a question of an upstream may be anything', () => {
  expect(readQuestion({ method: 'roots/list' })).toEqual(roots)
  for (const value of [null, 'x', {}, { method: 1 }, { method: 'toString' }, { method: 'tools/call' }])
    expect(readQuestion(value)).toBeUndefined()
})

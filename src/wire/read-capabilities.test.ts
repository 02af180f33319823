import { describe, expect, it } from 'vitest'
import { readCapabilities } from './read-capabilities.ts'

describe('capabilities', () => {
  it.each([
    {},
    { elicitation: {} },
    { elicitation: { form: { applyDefaults: true }, url: {} }, roots: { listChanged: true } },
    { experimental: { mine: { flag: null } }, extensions: { 'a/b': {} }, vendor: { level: 3 } },
  ])('stay the very object where they are well-formed: %j', (declared) => {
    expect(readCapabilities(declared)).toBe(declared)
  })

  it.each([
    [{ elicitation: null, roots: { listChanged: true } }, { roots: { listChanged: true } }],
    [{ sampling: true, elicitation: 5, roots: [], vendor: 'x' }, {}],
    [{ elicitation: { form: null, url: {} } }, { elicitation: { url: {} } }],
    [{ elicitation: { form: true } }, { elicitation: {} }],
    [
      { experimental: { a: 'y', b: {} }, extensions: { c: 1 } },
      { experimental: { b: {} }, extensions: {} },
    ],
    [
      { sampling: { tools: [] }, tasks: { list: null, cancel: {} } },
      { sampling: {}, tasks: { cancel: {} } },
    ],
  ])('of %j are %j', (declared, read) => {
    expect(readCapabilities(declared)).toEqual(read)
  })
})

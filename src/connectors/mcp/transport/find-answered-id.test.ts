import { describe, expect, it } from 'vitest'
import { findAnsweredId } from './find-answered-id.ts'

describe('findAnsweredId', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":7,"result":null}', 7],
    ['{"result":{"id":1,"text":"\\"id\\":2"},"id" : 7 }', 7],
    ['{"id":7,"result":{"mean":NaN}}', 7],
    ['{"id":7,"result":"cut off', 7],
    ['{"note":"id","x":{"id":3},"id":7}', 7],
    ['{"id":"7","result":{}}', undefined],
    ['{"id":7.5,"result":{}}', undefined],
    ['{"id":7,"method":"ping"}', undefined],
    ['[{"id":7,"result":{}}]', undefined],
    ['{"text":"\\', undefined],
    ['"id":7}', undefined],
  ])('in %s finds %s', (line, id) => {
    expect(findAnsweredId(line)).toBe(id)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WeirError } from '../core/error.ts'
import { errorCatalogue } from '../core/error-catalogue.ts'
import { renderJsonRpcError } from './errors.ts'
import {
  idOf,
  readMessage,
  renderErrorResponse,
  renderNotification,
  renderRequest,
  renderResponse,
} from './json-rpc.ts'

const jsonrpc = '2.0'
const ids = fc.oneof(fc.string(), fc.integer(), fc.maxSafeInteger())

describe('readMessage', () => {
  it.each([
    [
      { jsonrpc, id: 1, method: 'm' },
      { kind: 'request', id: 1, method: 'm', params: {} },
    ],
    [
      { jsonrpc, id: '', method: 'm', params: { a: 1 } },
      { kind: 'request', id: '', method: 'm', params: { a: 1 } },
    ],
    [
      { jsonrpc, method: 'm' },
      { kind: 'notification', method: 'm', params: {} },
    ],
    [
      { jsonrpc, id: 1, result: { a: 1 } },
      { kind: 'response', id: 1, result: { a: 1 } },
    ],
    [
      { jsonrpc, id: 1, error: { code: -1, message: 'x', data: null } },
      { kind: 'response', id: 1, error: { code: -1, message: 'x', data: null } },
    ],
    [
      { jsonrpc, id: null, error: { code: -1, message: 'x' } },
      { kind: 'response', id: undefined, error: { code: -1, message: 'x' } },
    ],
  ])('reads %j', (value, expected) => {
    expect(readMessage(value)).toEqual(expected)
  })

  it.each([
    null,
    'x',
    [],
    {},
    { jsonrpc: '1.0', id: 1, method: 'm' },
    { jsonrpc },
    { jsonrpc, id: null, method: 'm' },
    { jsonrpc, id: 1.5, method: 'm' },
    { jsonrpc, id: Number.POSITIVE_INFINITY, method: 'm' },
    { jsonrpc, id: {}, method: 'm' },
    { jsonrpc, id: 1, method: 7 },
    { jsonrpc, id: 1, method: 'm', params: [] },
    { jsonrpc, id: 1, method: 'm', params: null },
    { jsonrpc, id: 1, result: 'x' },
    { jsonrpc, result: {} },
    { jsonrpc, id: 1, error: { code: 'x', message: 'x' } },
    { jsonrpc, id: 1, error: { code: 1 } },
  ])('refuses %j with INVALID_REQUEST', (value) => {
    expect(() => readMessage(value)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
  })

  it('never throws anything but a WeirError', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.jsonValue(),
        fc.jsonValue(),
        fc.jsonValue(),
        (id, method, params, result) => {
          try {
            readMessage({ jsonrpc, id, method, params, result })
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(WeirError)
          }
        },
      ),
    )
  })

  it('leaves the shared empty params unchangeable', () => {
    const message = readMessage({ jsonrpc, method: 'm' })
    expect(message.kind === 'notification' && Object.isFrozen(message.params)).toBe(true)
  })
})

describe('idOf', () => {
  it.each([
    [{ id: 1 }, 1],
    [{ id: 'x' }, 'x'],
    [{ id: null }, undefined],
    [{ id: 1.5 }, undefined],
    [{}, undefined],
    [[], undefined],
    [null, undefined],
  ])('finds in %j: %j', (value, expected) => {
    expect(idOf(value)).toBe(expected)
  })
})

describe('what is rendered', () => {
  it('is read back as it was', () => {
    fc.assert(
      fc.property(ids, fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (id, method, object) => {
        const plain = JSON.parse(JSON.stringify(object))
        const read = (text: string) => readMessage(JSON.parse(text))
        expect(read(renderRequest(id, method, object))).toEqual({
          kind: 'request',
          id,
          method,
          params: plain,
        })
        expect(read(renderNotification(method, object))).toEqual({
          kind: 'notification',
          method,
          params: plain,
        })
        expect(read(renderResponse(id, JSON.stringify(object)))).toEqual({
          kind: 'response',
          id,
          result: plain,
        })
        expect(read(renderErrorResponse(id, { code: 1, message: method, data: plain }))).toEqual({
          kind: 'response',
          id,
          error: { code: 1, message: method, data: plain },
        })
      }),
    )
  })

  it('has no id where none could be read', () => {
    expect(JSON.parse(renderErrorResponse(undefined, { code: 1, message: 'x' }))).not.toHaveProperty('id')
  })
})

describe('an error on the wire', () => {
  it.each(Object.entries(errorCatalogue))('%s has its code, its name and no stack', (code, {
    mcp,
    retryable,
  }) => {
    const error = new WeirError(code as keyof typeof errorCatalogue, 'seen', {
      hint: 'cure',
      cause: new Error('x'),
    })
    expect(renderJsonRpcError(error)).toEqual({
      code: mcp === 'isError' ? -32603 : mcp,
      message: 'seen',
      data: { weirCode: code, retryable, hint: 'cure' },
    })
  })

  it('keeps the protocol’s own members where clients look for them', () => {
    const error = new WeirError('UNSUPPORTED_VERSION', 'x', { data: { supported: ['a'], requested: 'b' } })
    expect(renderJsonRpcError(error).data).toMatchObject({ supported: ['a'], requested: 'b' })
  })

  it('uses no code that the protocol has taken back', () => {
    for (const { mcp } of Object.values(errorCatalogue)) expect([-32002, -32042]).not.toContain(mcp)
  })
})

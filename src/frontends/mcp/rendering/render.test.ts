import { describe, expect, it } from 'vitest'
import { WeirError } from '../../../core/error.ts'
import type { CallEvent } from '../../../core/event.ts'
import type { Result } from '../../../core/outcome.ts'
import { jsonSchema } from '../../../core/schema.ts'
import type { Tool } from '../../../core/tool.ts'
import { newestLegacy, newestModern } from '../../../wire/revisions/index.ts'
import { createEmit } from '../emit.ts'
import type { Exchange } from '../exchange.ts'
import { renderFailure, renderResult } from './render-result.ts'

const server = { name: 'weir', version: '1' }
const serverInfo = { 'io.modelcontextprotocol/serverInfo': server }
const modern = (result: Result) => renderResult(result, newestModern, server)
const legacy = (result: Result) => renderResult(result, newestLegacy, server)
const content = [{ type: 'text', text: 'x', unknown: { deep: [1] } }]

describe('a result', () => {
  it('keeps every field that an upstream sent, in both eras', () => {
    const result = {
      content,
      structuredContent: { a: 1 },
      isError: false,
      invented: [null],
      _meta: { 'x/y': 1 },
    }
    expect(JSON.parse(legacy(result))).toEqual(result)
    expect(JSON.parse(modern(result))).toEqual({
      ...result,
      resultType: 'complete',
      _meta: { 'x/y': 1, ...serverInfo },
    })
    const { _meta, ...bare } = result
    expect(JSON.parse(modern(bare))).toEqual({ ...bare, resultType: 'complete', _meta: serverInfo })
  })

  it('holds each name once', () => {
    for (const result of [
      { content, resultType: 'complete' },
      { content, resultType: 'x', _meta: {} },
    ]) {
      expect(modern(result).match(/"resultType"/g)).toHaveLength(1)
      expect(modern(result).match(/"_meta"/g)).toHaveLength(1)
      expect(JSON.parse(modern(result)).resultType).toBe('complete')
    }
  })

  it.each([
    { a: 1 },
    [1, 2],
    'text',
    7,
    false,
    null,
  ])('without content says %j as text too', (structuredContent) => {
    const text = [{ type: 'text', text: JSON.stringify(structuredContent) }]
    expect(JSON.parse(modern({ structuredContent }))).toEqual({
      content: text,
      structuredContent,
      resultType: 'complete',
      _meta: serverInfo,
    })
    const isObject =
      typeof structuredContent === 'object' && structuredContent && !Array.isArray(structuredContent)
    expect(JSON.parse(legacy({ structuredContent }))).toEqual({
      content: text,
      ...(isObject ? { structuredContent } : {}),
    })
  })

  it('without content keeps its other fields', () => {
    const result = { structuredContent: { a: 1 }, isError: true, _meta: { 'x/y': 1 }, invented: 1 }
    expect(JSON.parse(modern(result))).toMatchObject({
      ...result,
      content: [{ type: 'text', text: '{"a":1}' }],
    })
    expect(JSON.parse(legacy(result))).toMatchObject({
      ...result,
      content: [{ type: 'text', text: '{"a":1}' }],
    })
  })

  it('gives legacy clients no structured content that is no object', () => {
    for (const structuredContent of [[1], 'x', null]) {
      expect(JSON.parse(legacy({ content, structuredContent }))).toEqual({ content })
      expect(JSON.parse(modern({ content, structuredContent }))).toMatchObject({ content, structuredContent })
    }
  })

  it('with nothing at all is still a result', () => {
    expect(JSON.parse(legacy({ content: [] }))).toEqual({ content: [] })
    expect(JSON.parse(modern({}))).toMatchObject({ content: [{ type: 'text', text: 'null' }] })
  })
})

describe('a failure', () => {
  const error = new WeirError('SQL_ERROR', 'no table', { hint: 'Look.', cause: new Error('secret') })
  const tool = { output: jsonSchema({ type: 'object' }) } as Tool

  it('says itself in text, in structured content and in _meta', () => {
    const body = { code: 'SQL_ERROR', message: 'no table', hint: 'Look.', retryable: false }
    const text = renderFailure(error, undefined, newestLegacy, server)
    expect(JSON.parse(text)).toEqual({
      content: [{ type: 'text', text: 'SQL_ERROR: no table Look.' }],
      isError: true,
      structuredContent: { error: body },
      _meta: { 'weir/error': body },
    })
    expect(text).not.toContain('secret')
  })

  it('breaks no output schema that the tool promised', () => {
    expect(JSON.parse(renderFailure(error, tool, newestModern, server))).not.toHaveProperty(
      'structuredContent',
    )
  })
})

describe('what a call emits', () => {
  const emitted = (exchange: Partial<Exchange>, ...events: CallEvent[]) => {
    const texts: string[] = []
    const notify = (text: string) => texts.push(text)
    const emit = createEmit({
      revision: newestModern,
      meta: { clientCapabilities: {} },
      notify,
      ...exchange,
    } as Exchange)
    for (const event of events) emit?.(event)
    return emit === undefined ? undefined : texts.map((text) => JSON.parse(text))
  }
  const log = (level: 'debug' | 'info' | 'error'): CallEvent => ({ kind: 'log', level, data: { a: 1 } })
  const progress: CallEvent = { kind: 'progress', progress: 1, extra: { progressToken: 'theirs', more: 1 } }

  it('is nothing where nobody listens', () => {
    expect(emitted({}, progress)).toBeUndefined()
    expect(emitted({ notify: undefined, revision: newestLegacy })).toBeUndefined()
  })

  it('is progress under the client’s own token, with the upstream’s unknown fields', () => {
    const meta = { clientCapabilities: {}, progressToken: 'mine' }
    expect(emitted({ meta }, progress, log('error'))).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progress: 1, more: 1, progressToken: 'mine' },
      },
    ])
  })

  it('is logs from the level on that the client asked for, when it asks', () => {
    const meta = { clientCapabilities: {}, logLevel: 'error' }
    expect(emitted({ meta }, log('debug'), log('error'), progress)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', data: { a: 1 } } },
    ])
  })

  it('follows a legacy session’s level while the call runs', () => {
    const texts: string[] = []
    const session = { logLevel: undefined } as NonNullable<Exchange['session']>
    const notify = (text: string) => texts.push(text)
    const emit = createEmit({
      revision: newestLegacy,
      meta: { clientCapabilities: {} },
      session,
      notify,
    } as unknown as Exchange)
    emit?.(log('debug'))
    emit?.(log('info'))
    session.logLevel = 'error'
    emit?.(log('info'))
    expect(texts).toHaveLength(1)
  })
})

import type { StopSignal } from '../../../core/cancellation.ts'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import { readPointer } from '../../../core/json-pointer.ts'
import type { EgressResponse } from '../../../egress/egress.ts'
import type { Api } from '../api.ts'
import { renderAnswer } from '../render-answer.ts'
import { answersBytesMax, requestMsMin } from '../request-fields.ts'
import { resolveUrl } from '../resolve-url.ts'
import { fetchAnswer } from '../send-request.ts'
import { createStatusError } from '../status-error.ts'
import { findNextUrl, type NextRules, type Page } from './next-url.ts'

/** What to read, and how far. */
export interface Walk extends NextRules {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly timeoutMs: number | undefined
  readonly items_at: string
  /** Items of the first page to leave out. */
  readonly skip: number
  readonly items_max: number
  readonly pages_max: number
}

/** What was read, why no more, and where to go on. */
export interface Walked {
  readonly items: readonly unknown[]
  readonly pages: number
  readonly next: string | null
  readonly skip: number
  readonly stopped_by: 'end' | 'items_max' | 'pages_max' | 'size' | 'time' | 'loop' | 'failure'
  readonly failure?: string
}

/** How long a walk may go on. */
export interface Patience {
  readonly stop: StopSignal
  readonly deadlineMs: number
  readonly clock: Clock
}

/**
 * Reads page after page. What goes wrong with the first page is thrown; later it ends the walk, which then says so, so
 * that what was read is not lost (B-62).
 */
export async function walkPages(api: Api, walk: Walk, patience: Patience): Promise<Walked> {
  const items: unknown[] = []
  const visited = new Set<string>()
  let bytes = 0
  let body: Buffer | undefined
  let skip = walk.skip
  let url = resolveUrl(api.name, api.base, walk.url)
  const end = (stopped_by: Walked['stopped_by'], next: URL | null, more: Partial<Walked> = {}): Walked => ({
    items,
    pages: visited.size,
    next: next === null ? null : api.redactor.text(next.href),
    skip: 0,
    stopped_by,
    ...more,
  })
  for (;;) {
    if (visited.size === walk.pages_max) return end('pages_max', url)
    const leftMs = patience.deadlineMs - patience.clock.monotonicMs()
    if (leftMs < requestMsMin && visited.size > 0) return end('time', url)
    let next: URL | undefined
    let at: URL | null = url
    try {
      const bounds = { leftMs: Math.max(1, leftMs), responseBytesMax: answersBytesMax - bytes }
      const answer = await fetchPage(api, walk, url, bounds, patience.stop)
      // A server that does not know the page's parameter gives the same page for ever.
      if (walk.next_by === 'page' && body?.equals(answer.body) === true) return end('loop', null)
      body = answer.body
      bytes += body.length
      const page = readPage(api, walk, url, answer)
      const room = walk.items_max - items.length
      visited.add(url.href)
      items.push(...page.items.slice(skip, skip + room))
      if (page.items.length - skip > room) return end('items_max', url, { skip: skip + room })
      skip = 0
      at = null
      next = findNextUrl(api, walk, page)
    } catch (thrown) {
      if (visited.size === 0 || patience.stop.aborted || !(thrown instanceof WeirError)) throw thrown
      if (thrown.code === 'RESPONSE_TOO_LARGE') return end('size', at)
      return end('failure', at, { failure: `${thrown.code}: ${thrown.message}` })
    }
    if (next === undefined) return end('end', null)
    if (visited.has(next.href)) return end('loop', null)
    if (items.length === walk.items_max) return end('items_max', next)
    url = next
  }
}

function fetchPage(
  api: Api,
  { headers, timeoutMs = Number.POSITIVE_INFINITY }: Walk,
  url: URL,
  { leftMs, responseBytesMax }: { readonly leftMs: number; readonly responseBytesMax: number },
  stop: StopSignal,
): Promise<EgressResponse> {
  const bounds = { timeoutMs: Math.min(timeoutMs, leftMs), responseBytesMax }
  return fetchAnswer(api, { method: 'GET', url: url.href, headers, ...bounds }, stop)
}

function readPage(api: Api, { items_at }: Walk, askedUrl: URL, response: EgressResponse): Page {
  const answer = renderAnswer(response, api.redactor)
  if (!answer.success) throw createStatusError(api, answer)
  const { data } = answer
  const items = readPointer(data, items_at)
  if (!Array.isArray(items)) throw noList(api, items_at, data)
  return { url: response.url, askedUrl, link: [response.headers['link']].flat().join(', '), data, items }
}

function noList({ name }: Api, itemsAt: string, data: unknown): WeirError {
  const keys = typeof data === 'object' && data !== null ? Object.keys(data).slice(0, 20) : []
  return new WeirError('INVALID_INPUT', `There is no list at ${JSON.stringify(itemsAt)} in the answer.`, {
    hint: `Point \`items_at\` to the list; the answer has ${keys.length === 0 ? 'no fields' : keys.map((key) => `"/${key}"`).join(', ')}.`,
    data: { api_name: name, sent: true },
  })
}

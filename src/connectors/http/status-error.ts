import { systemClock } from '../../core/clock.ts'
import { WeirError } from '../../core/error.ts'
import type { Api } from './api.ts'
import type { HttpAnswer } from './render-answer.ts'

const quotedCharsMax = 4_096

/** The error that a status other than 2xx is, where a tool promises more than an answer. It tells what the API said. */
export function createStatusError(
  { name }: Api,
  { status_code: status, headers, data }: HttpAnswer,
): WeirError {
  const isPassing = status >= 500 || status === 429
  const { 'retry-after': retryAfter } = headers
  return new WeirError(
    isPassing ? 'UPSTREAM_FAILED' : 'UPSTREAM_REFUSED',
    `The API ${name} answered with status ${status}.`,
    {
      hint: isPassing ? 'Try again later.' : 'See in `data.answer` what the API says.',
      data: {
        api_name: name,
        status_code: status,
        ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
        ...readRetryAfter(headers),
        ...(JSON.stringify(data).length <= quotedCharsMax ? { answer: data } : {}),
        sent: true,
      },
    },
  )
}

/** How long the API asks to be left alone, as `retryAfterMs`, which retries keep to. Seconds or a date. */
export function readRetryAfter({ 'retry-after': text = '' }: HttpAnswer['headers']): {
  readonly retryAfterMs?: number
} {
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - systemClock.now()
  return Number.isNaN(ms) ? {} : { retryAfterMs: Math.max(0, ms) }
}

import { WeirError } from '../../../core/error.ts'
import { readPointer } from '../../../core/json-pointer.ts'
import type { Api } from '../api.ts'
import { resolveLink } from '../resolve-url.ts'
import { findLink } from './parse-link-header.ts'

/** How an API says which page comes next. */
export interface NextRules {
  readonly next_by: 'link' | 'cursor' | 'page'
  readonly cursor_at?: string | undefined
  readonly cursor_parameter?: string | undefined
  readonly page_parameter: string
}

/** One page as it was read. */
export interface Page {
  /** Where it came from, after redirects. */
  readonly url: string
  /** Where it was asked for. */
  readonly askedUrl: URL
  readonly link: string
  readonly data: unknown
  readonly items: readonly unknown[]
}

/**
 * The URL of the next page; undefined after the last. Throws URL_NOT_ALLOWED where the API points out of its own bounds
 * (S12).
 */
export function findNextUrl(api: Api, rules: NextRules, page: Page): URL | undefined {
  switch (rules.next_by) {
    case 'link':
      return follow(api, page, findLink(page.link, 'next'))
    case 'cursor':
      return findByCursor(api, rules, page)
    case 'page':
      return page.items.length === 0 ? undefined : countUp(page.askedUrl, rules.page_parameter)
  }
}

function findByCursor(api: Api, { cursor_at, cursor_parameter }: NextRules, page: Page): URL | undefined {
  const cursor = readPointer(page.data, cursor_at ?? '')
  if (cursor === undefined || cursor === null || cursor === '' || cursor === false) return undefined
  if (typeof cursor !== 'string' && typeof cursor !== 'number') {
    throw new WeirError('INVALID_INPUT', `What stands at ${JSON.stringify(cursor_at)} is no cursor.`, {
      hint: 'Point `cursor_at` to a text or a number.',
      data: { api_name: api.name, sent: true },
    })
  }
  if (cursor_parameter === undefined) return follow(api, page, String(cursor))
  const url = new URL(page.askedUrl)
  url.searchParams.set(cursor_parameter, String(cursor))
  return url
}

function follow(api: Api, { url }: Page, link: string | undefined): URL | undefined {
  return link === undefined ? undefined : resolveLink(api.name, api.base, url, link)
}

function countUp(url: URL, parameter: string): URL {
  const next = new URL(url)
  const page = Number(url.searchParams.get(parameter) ?? 1)
  next.searchParams.set(parameter, String(Number.isSafeInteger(page) ? page + 1 : 2))
  return next
}

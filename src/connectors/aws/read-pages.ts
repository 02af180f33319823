import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { fromAttributes } from './attribute-values.ts'

type Key = Record<string, AttributeValue>

/** One page of a query or scan; at most a megabyte, by DynamoDB's own bound. */
export interface Page {
  readonly Items?: Key[] | undefined
  readonly Count?: number | undefined
  readonly LastEvaluatedKey?: Key | undefined
}

/** All pages together. */
export interface Answer {
  readonly items: readonly Record<string, unknown>[]
  readonly count: number
  /** Where it stopped; absent at the end. */
  readonly last: Key | undefined
}

/** A filter may throw away all that is read, so pages are counted too. */
const pagesMax = 100
/** Characters of JSON, after which no further page is read. */
const sizeMax = 3 * 1024 * 1024

/**
 * Reads on until there is nothing more or a bound is met (B-16). A `limit` of the caller's own means one page, as
 * DynamoDB has it. No page is asked for more items than there is room for, so none has to be cut and the place to go on
 * from is always DynamoDB's own.
 */
export async function readPages(
  readPage: (limit: number, start: Key | undefined) => Promise<Page>,
  itemsMax: number,
  limit: number | undefined,
  start: Key | undefined,
): Promise<Answer> {
  const items: Record<string, unknown>[] = []
  let [count, size, pages, next] = [0, 0, 0, start]
  do {
    const page = await readPage(Math.min(limit ?? itemsMax, itemsMax - count), next)
    const read = await Promise.all((page.Items ?? []).map(fromAttributes))
    items.push(...read)
    count += page.Count ?? read.length
    size += JSON.stringify(read).length
    pages += 1
    next = page.LastEvaluatedKey
  } while (
    next !== undefined &&
    limit === undefined &&
    count < itemsMax &&
    size < sizeMax &&
    pages < pagesMax
  )
  return { items, count, last: next }
}

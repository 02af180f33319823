import type { Abortable, ObjectPlace, ObjectStore } from './object-store.ts'

/** No cloud gives out more keys at a time. */
const pageMax = 1_000
/** A page may be empty and not the last, so they are counted too. */
const pagesMax = 200

/** What of a call says which keys. */
export interface ListInput {
  readonly prefix?: string | undefined
  readonly limit?: number | undefined
  readonly continuation?: string | undefined
}

/** All pages up to the bound (B-16). */
export async function listObjects(
  store: ObjectStore,
  place: ObjectPlace,
  { prefix, limit, continuation: from }: ListInput,
  objectsMax: number,
  context: Abortable,
) {
  const most = Math.min(limit ?? objectsMax, objectsMax)
  const objects: string[] = []
  let [continuation, pages] = [from, 0]
  do {
    const request = { prefix, limit: Math.min(pageMax, most - objects.length), continuation }
    const page = await store.list(place, request, context)
    objects.push(...page.keys)
    continuation = page.continuation
    pages += 1
  } while (continuation !== undefined && objects.length < most && pages < pagesMax)
  return {
    objects,
    truncated: continuation !== undefined,
    ...(continuation === undefined ? {} : { continuation }),
  }
}

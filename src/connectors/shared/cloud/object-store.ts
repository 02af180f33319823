import type { RunContext } from '../../../core/tool.ts'

/** The part of a call's context that a request needs. */
export type Abortable = Pick<RunContext, 'signal'>

/** Where objects lie: a bucket of S3 or Google, a container of Azure. */
export interface ObjectPlace {
  readonly container: string
  /** The call's own, where the store has regions. */
  readonly region?: string | undefined
}

/** One page of keys. A page may be empty and not the last. */
export interface ObjectPage {
  readonly keys: readonly string[]
  /** Where the next page begins; absent after the last. */
  readonly continuation?: string | undefined
}

/** Which page: of the keys that begin with `prefix`, at most `limit`, from `continuation` on. */
export interface PageRequest {
  readonly prefix?: string | undefined
  readonly limit: number
  readonly continuation?: string | undefined
}

/** An object on its way in. */
export interface NewObject {
  readonly body: Buffer
  readonly mediaType: string
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/** An object on its way out. */
export interface StoredObject {
  readonly body: Buffer
  readonly mediaType?: string | undefined
  readonly lastModified?: Date | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/**
 * What a cloud's objects are reached by. Every method rejects with a WeirError: CLOUD_ERROR, CLOUD_BUSY or UPSTREAM_AUTH
 * for what the cloud answers, and egress's own where it does not.
 */
export interface ObjectStore {
  list(place: ObjectPlace, page: PageRequest, context: Abortable): Promise<ObjectPage>
  /** Rejects with RESPONSE_TOO_LARGE at the latest where no more can be read; a larger body than may be given out is refused above. */
  get(place: ObjectPlace, key: string, context: Abortable): Promise<StoredObject>
  /** Writes it over what stands there. */
  put(place: ObjectPlace, key: string, object: NewObject, context: Abortable): Promise<void>
  /** One that is not there is no error; a container that is not there is one. */
  delete(place: ObjectPlace, key: string, context: Abortable): Promise<void>
}

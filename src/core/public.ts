// What a connector of your own is written against: the package's `./connector` door.

export type { Disposable } from './catalog.ts'
export type { AnyConnector, Connection, Connector, OpenContext } from './connector.ts'
export { defineConnector } from './connector.ts'
export type { ErrorCode } from './error.ts'
export { WeirError } from './error.ts'
export type { CallEvent } from './event.ts'
export type { ContentBlock, Result } from './outcome.ts'
export { InputRequired } from './outcome.ts'
export type { JsonSchema, Schema } from './schema.ts'
export { jsonSchema } from './schema.ts'
export type { Effect, RateLimit, RunContext, Target, Tool } from './tool.ts'

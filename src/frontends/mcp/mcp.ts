import type { Readable, Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Executor } from '../../core/call.ts'
import type { Caller } from '../../core/caller.ts'
import type { Catalog } from '../../core/catalog.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Implementation } from '../../wire/model.ts'
import { narrowView } from '../shared/narrow-view.ts'
import { createSeal } from '../shared/seal.ts'
import { mcpHttp } from './mcp-http.ts'
import { serveStdio } from './mcp-stdio.ts'
import { createAnswer } from './methods/methods.ts'
import { createClientQuestions } from './questions/client-questions.ts'
import { createRequestStates } from './request-state.ts'
import { createSessions } from './sessions.ts'
import { createSubscriptions } from './subscriptions/subscriptions.ts'
import { createTaskHandles } from './task-handles.ts'

/** What the MCP frontend is built from. */
export interface McpFrontendParts {
  readonly catalog: Catalog
  readonly executor: Executor
  readonly server: Implementation
  readonly log: Logger
  readonly clock: Clock
  /** Replicas that share it serve each other's sessions. */
  readonly sessionKey: string | undefined
}

/** MCP, both eras, over HTTP and over stdio, from one catalog. */
export interface McpFrontend {
  serveHttp(server: FastifyInstance): void
  serveStdio(input: Readable, output: Writable, caller: Caller): Promise<void>
  /** Ends all that only waits for something new to happen: streams of events, and questions that nobody could answer now. */
  endWaiting(): void
}

/** What every client is told at its first contact. */
const instructions =
  'Tools are named {connection}__{tool}. A failed call says in _meta["weir/error"] what happened and whether a retry can help.'

/** Builds the frontend once; both transports share its method table, sessions and subscriptions. */
export function createMcpFrontend(parts: McpFrontendParts): McpFrontend {
  const { catalog, executor, clock, server, sessionKey } = parts
  const subscriptions = createSubscriptions({ catalog, clock })
  const states = createRequestStates(createSeal('request-state', sessionKey), clock)
  const questions = createClientQuestions(clock)
  const tasks = createTaskHandles(createSeal('task', sessionKey))
  const answer = createAnswer({ catalog, executor, states, subscriptions, tasks, server, instructions })
  const sessions = createSessions(createSeal('session', sessionKey), clock)
  return {
    serveHttp: (http) =>
      mcpHttp(http, { ...parts, sessions, subscriptions, questions, answer, instructions }),
    serveStdio: (input, output, caller) =>
      serveStdio({
        input,
        output,
        caller,
        view: narrowView(catalog.view(caller.grants?.toolset)!, caller),
        answer,
        subscriptions,
        questions,
        server,
        instructions,
      }),
    endWaiting() {
      questions.close()
      subscriptions.closeAll()
    },
  }
}

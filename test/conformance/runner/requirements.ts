import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'

export const revisions = ['2026-07-28', '2025-11-25'] as const
export type Revision = (typeof revisions)[number]

/** Which end of the protocol is under test: Weir as a server, or its `mcp` connector as a client. */
export const roles = ['server', 'client'] as const
export type Role = (typeof roles)[number]

const suiteDir = dirname(
  createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'),
)

/** The suite's command; the version is pinned in package.json. */
export const suiteEntry = join(suiteDir, 'dist/index.js')

/**
 * Scenarios the suite runs without counting them, which Weir has to pass nevertheless: headers must
 * be checked, schemas must survive a hop, a deleted session must be gone, tasks must survive a hop too. Of the tasks
 * extension two are left out: `tasks-status-notifications` checks nothing where none are sent, and
 * `tasks-required-task-error` wants a call refused that Weir can serve by following its task itself.
 */
const extraScenarios: Record<Role, Record<Revision, readonly string[]>> = {
  server: {
    '2026-07-28': [
      'http-header-validation',
      'http-custom-header-server-validation',
      'json-schema-2020-12',
      'tasks-lifecycle',
      'tasks-capability-negotiation',
      'tasks-wire-fields',
      'tasks-request-state-removal',
      'tasks-mrtr-input',
      'tasks-request-headers',
      'tasks-dispatch-and-envelope',
      'tasks-mrtr-composition',
    ],
    '2025-11-25': ['json-schema-2020-12', 'server-session-lifecycle'],
  },
  client: { '2026-07-28': [], '2025-11-25': [] },
}

export interface RequiredScenarios {
  /** The suite's own requirement: what its exit code speaks of. */
  readonly scored: readonly string[]
  /** All that Weir has to pass, the scored ones first. */
  readonly all: readonly string[]
}

export function listRequiredScenarios(role: Role, revision: Revision): RequiredScenarios {
  const file = join(suiteDir, 'requirements', `${revision}.yaml`)
  const required: Record<Role, string[]> = parse(readFileSync(file, 'utf8'))
  const scored = required[role]
  return { scored, all: [...scored, ...extraScenarios[role][revision]] }
}

/** Scenarios the list of expected failures may never name: tools pass through from the first day. */
export const neverExpected: readonly string[] = [
  'tools-list',
  'tools-call-simple-text',
  'tools-call-image',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-mixed-content',
  'tools-call-error',
  'tools-call-with-progress',
  'server-stateless',
  'server-initialize',
  'ping',
  'dns-rebinding-protection',
  'http-header-validation',
  'server-sse-multiple-streams',
  'caching',
]

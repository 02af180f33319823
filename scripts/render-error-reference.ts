import { type ErrorSpec, errorCatalogue } from '../src/core/error-catalogue.ts'

const introduction = `<!-- Written by scripts/write-reference.ts from src/core/error-catalogue.ts. Edit that file instead. -->

# Errors

Every error of Weir has one of these codes, the same in every dialect and in the log. An error body holds
the \`code\`, a \`message\` that says what happened with the value seen, mostly a \`hint\` with the cure, whether
the same request is \`retryable\`, and sometimes \`data\` for programs. Stacks and secrets never leave Weir.

**For whom** says who can mend it: the *caller* by another request, the *upstream* system behind the
connection, or the *operator* of this Weir.`

const chapters = [
  {
    title: 'The request never reached a tool',
    text: 'The protocol was misused, or Weir took no call. Over MCP these are JSON-RPC errors with the code given here.',
    holds: ({ mcp }: ErrorSpec) => mcp !== 'isError',
  },
  {
    title: 'The call failed',
    text: 'Over MCP these are results with `isError: true` and the error body as their content, so that a model can react to them.',
    holds: ({ mcp }: ErrorSpec) => mcp === 'isError',
  },
]

/** `docs/errors.md`: the catalogue for readers. */
export function renderErrorReference(): string {
  return `${[introduction, ...chapters.map(renderChapter)].join('\n\n')}\n`
}

function renderChapter({ title, text, holds }: (typeof chapters)[number]): string {
  const rows = Object.entries<ErrorSpec>(errorCatalogue)
    .filter(([, spec]) => holds(spec))
    .map(([code, spec]) => renderRow(code, spec))
  const head = [
    '| code | for whom | HTTP | MCP | retry can help | meaning | what a caller does |',
    '|---|---|---|---|---|---|---|',
  ]
  return `## ${title}\n\n${text}\n\n${[...head, ...rows].join('\n')}`
}

function renderRow(code: string, spec: ErrorSpec): string {
  const { audience, http, mcp, retryable, meaning } = spec
  const cells = [
    `\`${code}\``,
    audience,
    http,
    `\`${mcp}\``,
    retryable ? 'yes' : 'no',
    meaning,
    renderAdvice(spec),
  ]
  return `| ${cells.join(' | ')} |`
}

function renderAdvice({ audience, retryable }: ErrorSpec): string {
  if (retryable) return 'Repeat it after a pause that grows each time.'
  if (audience === 'caller') return 'Change the request as the hint says; the same one fails again.'
  if (audience === 'upstream') return 'Try another way; the same request fails again.'
  return 'Tell the operator, with the code and the time.'
}

import { renderError, type WeirError } from '../../../core/error.ts'
import type { Result } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Tool } from '../../../core/tool.ts'
import type { Implementation, Revision } from '../../../wire/model.ts'

/** A tool's answer as the JSON text of an MCP result; what an upstream sent keeps every field. */
export function renderResult(result: Result, revision: Revision, server: Implementation): string {
  if (result.content === undefined) {
    if (isOnlyStructured(result)) return renderStructured(result, revision, server)
    const text = JSON.stringify(result.structuredContent ?? null)
    return renderResult({ ...result, content: [{ type: 'text', text }] }, revision, server)
  }
  if (revision.era === 'legacy') {
    // Legacy revisions know objects only; the text content says the same.
    if (result.structuredContent === undefined || isObject(result.structuredContent))
      return JSON.stringify(result)
    const { structuredContent: _dropped, ...rest } = result
    return JSON.stringify(rest)
  }
  return addMembers(result, revision.resultMembers(server))
}

/** The answer of anything but a tool: as it came, with what every result of the revision has. */
export function renderPlain(result: Result, revision: Revision, server: Implementation): string {
  return addMembers(result, revision.resultMembers(server))
}

/** A task that a call began, in place of the call's own result. Only the modern era has tasks of this form. */
export function renderTask(task: Result, revision: Revision, server: Implementation): string {
  return addMembers(task, revision.resultMembers(server).replace('"complete"', '"task"'))
}

/**
 * The answer to a read of `asked`, which its connection knows as `own`. How long it may be kept is the upstream's to
 * say, and for whom is not: who may read it is decided here.
 */
export function renderRead(
  result: Result,
  { asked, own }: { readonly asked: string; readonly own: string },
  revision: Revision,
  server: Implementation,
): string {
  const { contents, ttlMs } = result
  const keptMs = typeof ttlMs === 'number' && Number.isInteger(ttlMs) && ttlMs >= 0 ? ttlMs : 0
  const members = `${revision.cacheMembers(keptMs, 'private')}${revision.resultMembers(server)}`
  if (asked === own || !Array.isArray(contents)) return addMembers(result, members)
  const renamed = contents.map((one: unknown) =>
    isObject(one) && one['uri'] === own ? { ...one, uri: asked } : one,
  )
  return addMembers({ ...result, contents: renamed }, members)
}

function addMembers(result: Result, members: string): string {
  if (members === '') return JSON.stringify(result)
  if (
    result._meta === undefined &&
    !('resultType' in result) &&
    !('ttlMs' in result) &&
    !('cacheScope' in result)
  )
    return spliceMembers(JSON.stringify(result), members)
  // The upstream's own `_meta` and ours become one member: a JSON object holds each name once.
  const ours = JSON.parse(`{${members.slice(1)}}`) as Result
  return JSON.stringify({ ...result, ...ours, _meta: { ...result._meta, ...ours._meta } })
}

/** Most answers of our own tools say nothing beside their structure. */
function isOnlyStructured(result: Result): boolean {
  for (const key in result) {
    if (key !== 'structuredContent' && key !== 'isError' && key !== 'content') return false
  }
  return true
}

/** `structuredContent` as text too, serialised once. */
function renderStructured(result: Result, revision: Revision, server: Implementation): string {
  const { structuredContent = null, isError } = result
  const json = JSON.stringify(structuredContent)
  const structured =
    revision.era === 'modern' || isObject(structuredContent) ? `,"structuredContent":${json}` : ''
  const error = isError === true ? ',"isError":true' : ''
  const text = `{"content":[{"type":"text","text":${JSON.stringify(json)}}]${structured}${error}`
  return `${text}${revision.resultMembers(server)}}`
}

function spliceMembers(objectText: string, members: string): string {
  if (members === '') return objectText
  return objectText === '{}' ? `{${members.slice(1)}}` : `${objectText.slice(0, -1)}${members}}`
}

/**
 * A failed tool as a result the model can react to. The error stands in `_meta["weir/error"]` always, and in
 * `structuredContent` only where the tool promised no schema for it: clients check that even on errors.
 */
export function renderFailure(
  error: WeirError,
  tool: Tool | undefined,
  revision: Revision,
  server: Implementation,
): string {
  const body = renderError(error)
  const text = body.hint === undefined ? body.message : `${body.message} ${body.hint}`
  return renderResult(
    {
      content: [{ type: 'text', text: `${body.code}: ${text}` }],
      isError: true,
      ...(tool?.output === undefined ? { structuredContent: { error: body } } : {}),
      _meta: { 'weir/error': body },
    },
    revision,
    server,
  )
}

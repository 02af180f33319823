/** Visits every object with a `$ref`, in the order of the document. */
export function walkRefs(root: unknown, visit: (holder: { $ref: string }) => void): void {
  const pending: unknown[] = [root]
  while (pending.length > 0) {
    const node = pending.pop()
    if (typeof node !== 'object' || node === null) continue
    if (!Array.isArray(node) && typeof (node as { $ref?: unknown }).$ref === 'string')
      visit(node as { $ref: string })
    const inner = Object.values(node)
    for (let at = inner.length - 1; at >= 0; at -= 1) pending.push(inner[at])
  }
}

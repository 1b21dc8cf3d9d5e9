import { HostnameVerificationError, quoted } from './errors.ts'
import { toALabel } from './host-identity.ts'
import type { SuffixLookup } from './public-suffix.ts'

/** A label of the rules' tree, which is read from the right. */
interface Node {
  readonly children: Map<string, Node>
  rule: 'none' | 'suffix' | 'exception'
}

/**
 * The rules of a list in the format of publicsuffix.org as a lookup (https://github.com/publicsuffix/list/wiki/Format):
 * an exception prevails, otherwise the rule with the most labels.
 */
export function parseSuffixRules(text: string, section: 'all' | 'icann'): SuffixLookup {
  const root: Node = { children: new Map(), rule: 'none' }
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    if (section === 'icann' && line.startsWith('// ===END ICANN DOMAINS')) break
    const rule = /^[^\s]*/.exec(line)?.[0].replace(/\/\/.*/, '') ?? ''
    if (rule !== '') addRule(root, rule, index + 1)
  }
  return (host) => longestRule(root, host.split('.'))
}

function addRule(root: Node, rule: string, line: number): void {
  const exception = rule.startsWith('!')
  let node = root
  for (const label of (exception ? rule.slice(1) : rule).split('.').reverse()) {
    const key = label === '*' ? '*' : toALabel(label)
    if (key === undefined)
      throw new HostnameVerificationError(
        'ERR_HOSTNAME_SUFFIX_LIST',
        `Line ${line} of the public suffix list is no rule: ${quoted(rule)}`,
      )
    let child = node.children.get(key)
    if (child === undefined) {
      child = { children: new Map(), rule: 'none' }
      node.children.set(key, child)
    }
    node = child
  }
  node.rule = exception ? 'exception' : 'suffix'
}

/** Visits each node of the tree at most once, since each is reached by one path only. */
function longestRule(root: Node, labels: readonly string[]): number | undefined {
  let longest: number | undefined
  let exception: number | undefined
  const open: { node: Node; depth: number }[] = [{ node: root, depth: 0 }]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { node, depth } = at
    if (node.rule === 'suffix' && (longest === undefined || depth > longest)) longest = depth
    if (node.rule === 'exception' && (exception === undefined || depth > exception)) exception = depth
    const label = labels[labels.length - 1 - depth]
    if (label === undefined) continue
    const named = node.children.get(label)
    if (named !== undefined) open.push({ node: named, depth: depth + 1 })
    const any = node.children.get('*')
    if (any !== undefined) open.push({ node: any, depth: depth + 1 })
  }
  return exception === undefined ? longest : exception - 1
}

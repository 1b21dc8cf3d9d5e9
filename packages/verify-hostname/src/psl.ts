// oxlint-disable-next-line typescript/triple-slash-reference -- a declaration of a module cannot be imported
/// <reference path="./psl-module.d.ts" />
import { parse } from 'psl'
import { PublicSuffixList } from '@x/verify-hostname'

/**
 * The whole Public Suffix List, ICANN and private sections, by the package psl (an optional peer): the stricter policy,
 * by which `*.github.io` does not match either. Its age is psl's: see its release.
 */
export const pslList: PublicSuffixList = new PublicSuffixList((host) => {
  const { tld, error } = parse(host)
  // What psl refuses to parse (a long label, a leading hyphen) has no registrable domain: no wildcard may match it.
  if (error !== undefined) return host.split('.').length
  return typeof tld === 'string' ? tld.split('.').length : undefined
})

import { createRequire } from 'node:module'
import { HostnameVerificationError } from './errors.ts'
import type { SuffixLookup } from './public-suffix.ts'

interface Tldts {
  getPublicSuffix(host: string, options: object): string | null
}

const options = { extractHostname: false, validateHostname: false, detectIp: false, mixedInputs: false }

/**
 * The ICANN section of the Public Suffix List, by tldts-icann; an unlisted top-level domain counts as a suffix. The package
 * is loaded by this call and not by an import: most programs never meet a wildcard, and the list takes longer to load
 * than all the rest.
 * @throws HostnameVerificationError ERR_HOSTNAME_SUFFIX_LIST where it cannot be loaded (in a bundle without it).
 */
export function icannLookup(): SuffixLookup {
  let tldts: Tldts
  try {
    const require = createRequire(import.meta.url)
    tldts = require('tldts-icann') as Tldts
  } catch (cause) {
    throw new HostnameVerificationError(
      'ERR_HOSTNAME_SUFFIX_LIST',
      'The package tldts-icann cannot be loaded: install it beside the bundle, or give options.publicSuffix',
      { cause },
    )
  }
  return (host) => {
    const suffix = tldts.getPublicSuffix(host, options)
    if (suffix === null) return undefined
    let labels = 1
    for (let i = suffix.indexOf('.'); i !== -1; i = suffix.indexOf('.', i + 1)) labels++
    return labels
  }
}

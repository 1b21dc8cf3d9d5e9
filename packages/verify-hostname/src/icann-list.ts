import { createRequire } from 'node:module'
import { HostnameVerificationError } from './errors.ts'
import { PublicSuffixList } from './public-suffix.ts'

interface Tldts {
  getPublicSuffix(host: string, options: object): string | null
}

let list: PublicSuffixList | undefined

/**
 * The ICANN section of the Public Suffix List, by tldts-icann. Loaded at the first call: most programs never meet a
 * wildcard, and the list takes longer to load than all the rest.
 * @throws HostnameVerificationError ERR_HOSTNAME_SUFFIX_LIST where it cannot be loaded (in a bundle without it).
 */
export function icannList(): PublicSuffixList {
  list ??= loadList()
  return list
}

function loadList(): PublicSuffixList {
  let tldts: Tldts
  try {
    tldts = createRequire(import.meta.url)('tldts-icann') as Tldts
  } catch (cause) {
    throw new HostnameVerificationError(
      'ERR_HOSTNAME_SUFFIX_LIST',
      'The package tldts-icann cannot be loaded: install it beside the bundle, or give options.publicSuffix',
      { cause },
    )
  }
  const options = { extractHostname: false, validateHostname: false, detectIp: false, mixedInputs: false }
  return new PublicSuffixList((host) => {
    const suffix = tldts.getPublicSuffix(host, options)
    // For an unlisted top level it answers with the last label, as this package wants it.
    return suffix === null ? undefined : labelCount(suffix)
  })
}

function labelCount(name: string): number {
  let labels = 1
  for (let i = name.indexOf('.'); i !== -1; i = name.indexOf('.', i + 1)) labels++
  return labels
}

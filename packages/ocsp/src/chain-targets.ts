import { type CertificateView, sameBytes } from '@x/der/x509'
import { type CertificateListInput, toCertificateDers } from '@x/utils'
import { OcspError } from './errors.ts'
import { certificateView } from './facts.ts'
import { codeOf } from './foreign-errors.ts'
import { wrongValue } from './misuse.ts'
import { questionOf } from './remembered.ts'
import { Target } from './target.ts'

/** Which certificates of a chain (leaf first) are to be asked about, each with its issuer. */
export function targetsOf(
  chain: CertificateListInput,
  depth: 'leaf' | 'chain',
  anchor: 'self-issued' | 'last',
): Target[] {
  const views = readChain(chain)
  const last = views.at(-1)
  const anchored = last !== undefined && (anchor === 'last' || sameBytes(last.subject, last.issuer))
  const count = depth === 'leaf' ? 1 : Math.max(1, views.length - (anchored ? 1 : 0))
  return views.slice(0, count).map((view, i) => {
    const issuer = views[i + 1]
    return new Target(i, view, issuer && questionOf({ certificate: view.der, issuer: issuer.der }))
  })
}

/** The most certificates that a chain may have. */
const MAX_CHAIN = 16

function readChain(chain: CertificateListInput): CertificateView[] {
  let ders: Uint8Array[]
  try {
    ders = toCertificateDers(chain, 'chain')
  } catch (cause) {
    if (codeOf(cause).startsWith('ERR_INVALID_ARG_')) throw cause
    throw new OcspError('ERR_OCSP_CERTIFICATE_INVALID', 'The "chain" cannot be read as certificates', { cause })
  }
  if (ders.length < 1 || ders.length > MAX_CHAIN) throw wrongValue('chain', `must have 1 to ${MAX_CHAIN} certificates`)
  return ders.map((der) => certificateView(Uint8Array.from(der), 'chain'))
}

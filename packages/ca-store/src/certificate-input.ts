import type { X509Certificate } from 'node:crypto'
import { DerError } from '@x/der'
import { CertificateView } from '@x/der/x509'
import { CaStoreError } from './errors.ts'
import { misuse } from './misuse.ts'
import { parseCertificates } from './source.ts'

/** PEM (a bundle where a list makes sense) or DER, an X509Certificate, or a peer certificate of node:tls (its `raw`). */
export type CertificateInput = string | Uint8Array | X509Certificate | { readonly raw: Uint8Array }

/** The text or the bytes behind an input; told by shape, for another copy of a class is as good. */
export function textOrBytes(input: unknown, option: string): string | Uint8Array {
  if (typeof input === 'string' || input instanceof Uint8Array) return input
  if (typeof input === 'object' && input !== null && 'raw' in input && input.raw instanceof Uint8Array) return input.raw
  throw misuse(
    'ERR_INVALID_ARG_TYPE',
    `${option} must be a string, a Uint8Array, an X509Certificate or a peer certificate`,
  )
}

/**
 * One certificate; of several in PEM the first, which is the leaf of a chain file.
 * @throws CaStoreError ERR_CA_BROKEN_CERTIFICATE
 */
export function readOneCertificate(input: CertificateInput, option: string): CertificateView {
  const bytes = textOrBytes(input, option)
  try {
    const [entry] = parseCertificates(bytes, { source: 'program', by: option, file: undefined })
    return new CertificateView(entry?.der ?? new Uint8Array())
  } catch (cause) {
    if (!(cause instanceof DerError) && !(cause instanceof CaStoreError)) throw cause
    throw new CaStoreError('ERR_CA_BROKEN_CERTIFICATE', 'not a certificate', { file: option, cause })
  }
}

import { openDer, readSmallInteger, Tag } from '@x/der'
import { AccessMethod, type CertificateView, ExtensionOid, readAccessUris } from '@x/der/x509'
import type { CertificateInput } from '@x/utils'
import { certificateView } from './facts.ts'

/** How many responders of one certificate are considered. */
const MAX_URLS = 4
const MAX_URL_LENGTH = 2_048

/** RFC 7633: the TLS extensions status_request and status_request_v2, by number. */
const STATUS_REQUEST = 5
const STATUS_REQUEST_V2 = 17

/**
 * The OCSP responders that a certificate names (RFC 5280 section 4.2.2.1), in order: `http:` and `https:` only, without
 * credentials, at most four. Others are left out, as are all of an extension that cannot be read.
 *
 * @throws OcspError ERR_OCSP_CERTIFICATE_INVALID
 */
export function ocspUrls(certificate: CertificateInput): string[] {
  return ocspUrlsOf(certificateView(certificate))
}

/** {@link ocspUrls} of a view. */
export function ocspUrlsOf(view: CertificateView): string[] {
  const extension = view.extension(ExtensionOid.AUTHORITY_INFO_ACCESS)
  if (extension === undefined) return []
  try {
    return [...new Set(readAccessUris(extension.value, AccessMethod.OCSP).filter(isUsable))].slice(0, MAX_URLS)
  } catch {
    return []
  }
}

/** True for what may be asked: http or https, no user name or password, not overly long. */
export function isUsable(text: string): boolean {
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === ''
}

/**
 * True where the certificate says that its server always staples (TLS feature `status_request`, RFC 7633, "must-staple").
 * An extension that cannot be read counts as saying so.
 *
 * @throws OcspError ERR_OCSP_CERTIFICATE_INVALID
 */
export function requiresStaple(certificate: CertificateInput): boolean {
  const extension = certificateView(certificate).extension(ExtensionOid.TLS_FEATURE)
  if (extension === undefined) return false
  try {
    const features = openDer(extension.value)
    while (!features.done) {
      const feature = readSmallInteger(features.expect(Tag.INTEGER))
      if (feature === STATUS_REQUEST || feature === STATUS_REQUEST_V2) return true
    }
    return false
  } catch {
    return true
  }
}

import type { CertificateCheck } from './check.ts'

/** RFC 5280 section 4.1.2.5: both ends are included. The comparisons are written so that NaN refuses. */
export const checkValidity: CertificateCheck = ({ view }, _place, { now }, report) => {
  if (!(now >= view.notBefore)) report('CERT_NOT_YET_VALID', `valid from ${isoDate(view.notBefore)}`)
  if (!(now <= view.notAfter)) report('CERT_HAS_EXPIRED', `valid until ${isoDate(view.notAfter)}`)
}

function isoDate(time: number): string {
  return new Date(time).toISOString()
}

import { CertificateView } from '@x/der/x509'

const views = new WeakMap<Uint8Array, CertificateView>()

/** The fields of a certificate; each buffer is read once, however many checks look at it. */
export function viewOf(der: Uint8Array): CertificateView {
  let view = views.get(der)
  if (view === undefined) {
    view = new CertificateView(der)
    views.set(der, view)
  }
  return view
}

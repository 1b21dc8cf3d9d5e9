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

/** Answers once for each buffer, for questions about what is in it alone. An answer that throws is none. */
export function byObject<T extends boolean>(answer: (der: Uint8Array) => T): (der: Uint8Array) => T {
  const answers = new WeakMap<Uint8Array, T>()
  return (der) => {
    let known = answers.get(der)
    if (known === undefined) {
      known = answer(der)
      answers.set(der, known)
    }
    return known
  }
}

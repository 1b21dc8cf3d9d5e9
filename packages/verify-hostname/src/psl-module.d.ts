// psl's own types are hidden by its exports map.
declare module 'psl' {
  const psl: {
    parse(domain: string): { readonly tld?: string | null; readonly error?: unknown }
  }
  export default psl
}

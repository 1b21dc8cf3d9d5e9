// psl's own types are hidden by its exports map.
declare module 'psl' {
  export function parse(domain: string): { readonly tld?: string | null; readonly error?: unknown }
}

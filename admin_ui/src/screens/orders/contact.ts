/** A contact as it is shown until somebody wants to see it: enough to recognise, too little to write to. */
export function masked(contact: string): string {
  const at = contact.lastIndexOf("@");
  if (at > 0) return `${contact.slice(0, Math.min(2, at - 1) || 1)}***${contact.slice(at)}`;
  if (contact.length >= 7) return `${contact.slice(0, 3)}****${contact.slice(-4)}`;
  return `${contact.slice(0, 1)}***`;
}

/** A pale colour to fill and a dark one for the line and the name of a team; the eleventh team has the first one's again. */
export const TEAM_COLORS: readonly { readonly fill: string; readonly line: string }[] = [
  { fill: '#e0f2fe', line: '#075985' },
  { fill: '#fef3c7', line: '#92400e' },
  { fill: '#dcfce7', line: '#166534' },
  { fill: '#fce7f3', line: '#9d174d' },
  { fill: '#ede9fe', line: '#5b21b6' },
  { fill: '#ffedd5', line: '#9a3412' },
  { fill: '#ccfbf1', line: '#115e59' },
  { fill: '#fee2e2', line: '#991b1b' },
  { fill: '#e2e8f0', line: '#334155' },
  { fill: '#ecfccb', line: '#3f6212' },
];

/**
 * Names of the justifications of the W3C Data Privacy Vocabulary 2.3 (https://w3id.org/dpv/justifications), which are the
 * machine-readable reasons of Habeas. The names are facts of that vocabulary (W3C Data Privacy Vocabularies and Controls
 * Community Group); nothing else of it is copied.
 */
const NAMESPACE = 'https://w3id.org/dpv/justifications#';

/** Why something that was asked for is not done, or not wholly. */
const NON_FULFILMENT = [
  'CivilLawEnforcementImpaired',
  'ConfidentialityObligationCompromised',
  'ConsentProvided',
  'ContractEstablishmentNecessity',
  'ContractPerformanceNecessity',
  'CrimeDetectionImpaired',
  'CrimeInvestigationImpaired',
  'CrimePenaltyExecutionImpaired',
  'CrimePreventionImpaired',
  'CrimeProsecutionImpaired',
  'DataSubjectProtectionImpaired',
  'DefenceImpaired',
  'DisproportionateEffortRequired',
  'EntityAlreadyInformed',
  'EthicsBreachDetectionImpaired',
  'EthicsBreachInvestigationImpaired',
  'EthicsBreachPreventionImpaired',
  'EthicsBreachProsecutionImpaired',
  'EthicsProcedureImpaired',
  'FreedomOfExpressionImpaired',
  'FulfilmentImpossible',
  'IdentityVerificationFailure',
  'JudicialProceedingsImpaired',
  'LackOfIntent',
  'LegalClaimDefenceImpaired',
  'LegalClaimEstablishmentImpaired',
  'LegalClaimExerciseImpaired',
  'LegalClaimImpaired',
  'LegalObligationImpaired',
  'LegalProcessImpaired',
  'LegallyExempted',
  'LegitimateInterestOverride',
  'NationalSecurityImpaired',
  'ObjectivesImpaired',
  'OfficialAuthorityExerciseImpaired',
  'OfficialStatisticsImpaired',
  'ProcessExcessive',
  'ProcessFrivolous',
  'ProcessMalicious',
  'ProcessRejected',
  'ProcessUnfounded',
  'PublicHealthCompromised',
  'PublicInterestArchivingImpaired',
  'PublicInterestCompromised',
  'PublicSecurityImpaired',
  'ScientificHistoricalResearchImpaired',
  'SecurityImpaired',
  'ThirdPartyRightsImpaired',
] as const;

/** Why an answer takes longer. */
const DELAY_REASONS = [
  'ComplexityOfProcess',
  'HighVolumeOfProcesses',
  'IdentityVerificationRequired',
  'InformationRequired',
] as const;

/** The IRI of a reason for a delay, by its name or its IRI; undefined: the vocabulary has no such one. */
export function delayReasonIri(text: string): string | undefined {
  return iriIn(DELAY_REASONS, text);
}

/** The IRI of a justification for not doing something, by its name or its IRI; undefined: the vocabulary has no such one. */
export function nonFulfilmentIri(text: string): string | undefined {
  return iriIn(NON_FULFILMENT, text);
}

/** `https://…#LegallyExempted` → `Legally exempted`. */
export function justificationInWords(iri: string): string {
  const name = iri.slice(iri.lastIndexOf('#') + 1);
  const words = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function iriIn(names: readonly string[], text: string): string | undefined {
  const name = text.startsWith(NAMESPACE) ? text.slice(NAMESPACE.length) : text;
  return names.includes(name) ? `${NAMESPACE}${name}` : undefined;
}

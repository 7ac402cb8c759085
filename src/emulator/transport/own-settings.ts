/**
 * Settings of local SDK clients, which would otherwise read them from the environment and from
 * AWS's config files. Those are for AWS: a FIPS endpoint, a retry mode or a broken file has no
 * meaning for an SQS of Fanfold. Each client is created with its own region, endpoint and
 * credentials.
 */
export const OWN_SETTINGS = {
  authSchemePreference: [],
  defaultsMode: 'standard' as const,
  disableClockSkewCorrection: false,
  ignoreConfiguredEndpointUrls: true,
  maxAttempts: 3,
  retryMode: 'standard',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  // A plain undefined would make the SDK look for a value.
  userAgentAppId: async () => undefined,
};

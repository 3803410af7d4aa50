#include "known_oids.h"

#include <stddef.h>
#include <string.h>

/* By whoever gives the numbers out. */
static const struct {
    const char *oid, *name;
} KNOWN[] = {
    /* PKIX, RFC 5280 and those that go on from it */
    {"1.3.6.1.5.5.7.1.2", "biometric information"},
    {"1.3.6.1.5.5.7.1.3", "qualified certificate statements"},
    {"1.3.6.1.5.5.7.3.5", "IPsec end system"},
    {"1.3.6.1.5.5.7.3.6", "IPsec tunnel"},
    {"1.3.6.1.5.5.7.3.7", "IPsec user"},
    {"1.3.6.1.5.5.7.3.13", "EAP over PPP"},
    {"1.3.6.1.5.5.7.3.14", "EAP over LAN"},
    {"1.3.6.1.5.5.7.3.20", "SIP domain"},
    {"1.3.6.1.5.5.7.3.21", "SSH client"},
    {"1.3.6.1.5.5.7.3.22", "SSH server"},
    {"1.3.6.1.5.5.7.3.27", "CMC certificate authority"},
    {"1.3.6.1.5.5.7.3.28", "CMC registration authority"},
    {"1.3.6.1.5.5.7.8.5", "XMPP address"},
    {"1.3.6.1.5.5.7.8.7", "SRV name"},
    {"1.3.6.1.5.5.7.8.9", "internationalised mail address"},
    {"1.3.6.1.5.5.8.2.2", "IKE intermediate"},
    {"1.3.6.1.5.2.2", "Kerberos principal"},
    /* Microsoft */
    {"1.3.6.1.4.1.311.10.3.1", "Microsoft trust list signing"},
    {"1.3.6.1.4.1.311.10.3.4", "Microsoft encrypting file system"},
    {"1.3.6.1.4.1.311.10.3.4.1", "Microsoft file recovery"},
    {"1.3.6.1.4.1.311.10.3.12", "Microsoft document signing"},
    {"1.3.6.1.4.1.311.10.12.1", "Microsoft any purpose"},
    {"1.3.6.1.4.1.311.20.2", "Microsoft template name"},
    {"1.3.6.1.4.1.311.20.2.1", "Microsoft enrolment agent"},
    {"1.3.6.1.4.1.311.21.1", "Microsoft CA version"},
    {"1.3.6.1.4.1.311.21.2", "Microsoft previous CA"},
    {"1.3.6.1.4.1.311.21.4", "Microsoft next CRL"},
    {"1.3.6.1.4.1.311.21.5", "Microsoft key archival"},
    {"1.3.6.1.4.1.311.21.6", "Microsoft key recovery"},
    {"1.3.6.1.4.1.311.21.7", "Microsoft template"},
    {"1.3.6.1.4.1.311.21.10", "Microsoft purposes"},
    {"1.3.6.1.4.1.311.25.1", "Microsoft domain controller"},
    {"1.3.6.1.4.1.311.54.1.2", "Microsoft remote desktop"},
    {"1.3.6.1.4.1.311.60.2.1.1", "jurisdiction locality"},
    {"1.3.6.1.4.1.311.60.2.1.2", "jurisdiction state"},
    {"1.3.6.1.4.1.311.60.2.1.3", "jurisdiction country"},
    {"1.3.6.1.4.1.311.67.1.1", "Microsoft BitLocker"},
    /* PIV: FIPS 201 and the policies of the United States' common policy CA */
    {"2.16.840.1.101.3.6.6", "PIV FASC-N"},
    {"2.16.840.1.101.3.6.7", "PIV content signing"},
    {"2.16.840.1.101.3.6.9.1", "PIV background check"},
    {"2.16.840.1.101.3.2.1.3.6", "US common policy"},
    {"2.16.840.1.101.3.2.1.3.7", "US common hardware"},
    {"2.16.840.1.101.3.2.1.3.13", "US common PIV authentication"},
    {"2.16.840.1.101.3.2.1.3.17", "US common PIV card authentication"},
    {"2.16.840.1.101.3.2.1.3.39", "US common PIV content signing"},
    /* Matter: the Connectivity Standards Alliance */
    {"1.3.6.1.4.1.37244.1.1", "Matter node"},
    {"1.3.6.1.4.1.37244.1.2", "Matter firmware signing"},
    {"1.3.6.1.4.1.37244.1.3", "Matter ICAC"},
    {"1.3.6.1.4.1.37244.1.4", "Matter RCAC"},
    {"1.3.6.1.4.1.37244.1.5", "Matter fabric"},
    {"1.3.6.1.4.1.37244.1.6", "Matter CASE tag"},
    /* IEEE 802.1AR's devices with a TPM: the Trusted Computing Group */
    {"2.23.133.2.1", "TPM manufacturer"},
    {"2.23.133.2.2", "TPM model"},
    {"2.23.133.2.3", "TPM version"},
    {"2.23.133.8.1", "TPM endorsement key"},
    {"2.23.133.8.3", "TPM attestation key"},
    {"2.23.133.11.1.1", "key in a TPM"},
    {"2.23.133.11.1.2", "key fixed to a TPM"},
    {"2.23.133.11.1.3", "restricted key of a TPM"},
    /* the CA/Browser Forum's policies */
    {"2.23.140.1.1", "extended validation"},
    {"2.23.140.1.2.1", "domain validated"},
    {"2.23.140.1.2.2", "organisation validated"},
    {"2.23.140.1.2.3", "individual validated"},
    /* attestations of keys */
    {"1.3.6.1.4.1.11129.2.1.17", "Android key attestation"},
    {"1.3.6.1.4.1.41482.3.3", "YubiKey firmware"},
    {"1.3.6.1.4.1.41482.3.7", "YubiKey serial"},
    {"1.3.6.1.4.1.41482.3.8", "YubiKey PIN and touch"},
    {"1.3.6.1.4.1.41482.3.9", "YubiKey form factor"},
    {"1.3.6.1.4.1.45724.1.1.4", "FIDO authenticator model"},
    /* Adobe, Netscape */
    {"1.2.840.113583.1.1.5", "Adobe PDF signing"},
    {"2.16.840.1.113730.1.1", "Netscape type"},
    {"2.16.840.1.113730.1.13", "Netscape comment"},
};

const char *sg_known_oid(const char *oid)
{
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strcmp(KNOWN[i].oid, oid) == 0)
            return KNOWN[i].name;
    return NULL;
}

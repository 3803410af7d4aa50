import java.io.FileInputStream;
import java.io.InputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Online ocsp|crl ISSUER CERTIFICATE...: what Java's revocation checker says of each certificate, when it
 * asks where the certificate says: "good", or why not.
 */
public class Online {
    private static X509Certificate read(String path) throws Exception {
        try (InputStream in = new FileInputStream(path)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static String judge(EnumSet<Option> options, X509Certificate issuer, X509Certificate certificate)
            throws Exception {
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(options);
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(issuer, null)));
        parameters.addCertPathChecker(checker);
        CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(List.of(certificate));
        try {
            validator.validate(path, parameters);
            return "good";
        } catch (CertPathValidatorException failure) {
            return failure.getReason() + ": " + failure.getMessage();
        }
    }

    public static void main(String[] arguments) throws Exception {
        EnumSet<Option> options = EnumSet.of(Option.ONLY_END_ENTITY, Option.NO_FALLBACK);
        System.setProperty("com.sun.security.enableCRLDP", "true");
        if (arguments[0].equals("crl")) {
            options.add(Option.PREFER_CRLS);
        }
        for (int i = 2; i < arguments.length; i++) {
            System.out.println(judge(options, read(arguments[1]), read(arguments[i])));
        }
    }
}

import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
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
import java.util.Map;
import java.util.Set;

/**
 * Ocsp ROOT CERTIFICATE RESPONSE: what Java's revocation checker says of the certificate, which has
 * nothing but the OCSP response to go by: "good", or why not.
 */
public class Ocsp {
    private static X509Certificate read(String path) throws Exception {
        try (InputStream in = new FileInputStream(path)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    public static void main(String[] arguments) throws Exception {
        X509Certificate certificate = read(arguments[1]);
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(EnumSet.of(Option.ONLY_END_ENTITY, Option.NO_FALLBACK));
        checker.setOcspResponses(Map.of(certificate, Files.readAllBytes(Path.of(arguments[2]))));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(read(arguments[0]), null)));
        parameters.addCertPathChecker(checker);
        CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(List.of(certificate));
        try {
            validator.validate(path, parameters);
            System.out.println("good");
        } catch (CertPathValidatorException failure) {
            System.out.println(failure.getReason() + ": " + failure.getMessage());
        }
    }
}

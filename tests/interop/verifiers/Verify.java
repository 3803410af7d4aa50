import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * Verdicts of Java's PKIX trust manager on TLS clients.
 *
 * <p>Standard input has a case a line, separated by tabs: name, chain (leaf first), key, root, and the
 * CRL of the leaf's issuer or "-". Standard output has a line for each: name, "accept" or "refuse", and
 * what Java said.
 */
public class Verify {
    private static X509Certificate[] readChain(String path) throws IOException, GeneralSecurityException {
        try (InputStream in = new FileInputStream(path)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in)
                    .toArray(new X509Certificate[0]);
        }
    }

    private static KeyStore trustIn(String path) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("root", readChain(path)[0]);
        return trusted;
    }

    private static PKIXBuilderParameters parameters(String root, String crl)
            throws IOException, GeneralSecurityException {
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(trustIn(root), new X509CertSelector());
        parameters.setRevocationEnabled(!crl.equals("-"));
        if (parameters.isRevocationEnabled()) {
            try (InputStream in = new FileInputStream(crl)) {
                parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(
                        CertificateFactory.getInstance("X.509").generateCRLs(in))));
            }
            PKIXRevocationChecker checker =
                    (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
            checker.setOptions(EnumSet.of(Option.ONLY_END_ENTITY, Option.PREFER_CRLS, Option.NO_FALLBACK));
            parameters.addCertPathChecker(checker);
        }
        return parameters;
    }

    private static X509TrustManager trustManager(String root, String crl)
            throws IOException, GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(new CertPathTrustManagerParameters(parameters(root, crl)));
        return (X509TrustManager) factory.getTrustManagers()[0];
    }

    private static String judge(String chain, String root, String crl) {
        try {
            X509Certificate[] path = readChain(chain);
            trustManager(root, crl).checkClientTrusted(path, path[0].getPublicKey().getAlgorithm());
            return "accept\t";
        } catch (IOException | GeneralSecurityException e) {
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            return "refuse\t" + String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
        }
    }

    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line : (Iterable<String>) in.lines()::iterator) {
            List<String> fields = List.of(line.split("\t"));
            System.out.println(fields.get(0) + "\t" + judge(fields.get(1), fields.get(3), fields.get(4)));
        }
    }
}

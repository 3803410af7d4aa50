import java.io.FileInputStream;
import java.io.FileReader;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Collection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.est.CACertsResponse;
import org.bouncycastle.est.CSRRequestResponse;
import org.bouncycastle.est.ESTAuth;
import org.bouncycastle.est.ESTException;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.util.Store;

/**
 * BouncyCastle's EST client.
 *
 *     Est SERVER TRUST LABEL cacerts
 *     Est SERVER TRUST LABEL csrattrs
 *     Est SERVER TRUST LABEL enroll REQUEST USER PASSWORD
 *     Est SERVER TRUST LABEL reenroll REQUEST KEYSTORE
 *     Est SERVER TRUST LABEL serverkeygen REQUEST USER PASSWORD
 *
 * SERVER is HOST:PORT, TRUST the certificate that its TLS chain ends in, LABEL "" for none, KEYSTORE
 * PKCS #12 with the password "changeit". What comes is printed: certificates and keys as PEM, attributes
 * as OIDs. Ends with 3 when the server refuses, whose status is printed then, and with 4 when it is to be
 * asked again.
 */
public class Est {
    private static X509Certificate read(String path) throws Exception {
        try (InputStream in = new FileInputStream(path)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static X509TrustManager trust(String path) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", read(path));
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(trusted);
        return (X509TrustManager) factory.getTrustManagers()[0];
    }

    private static PKCS10CertificationRequest readRequest(String path) throws Exception {
        try (PEMParser parser = new PEMParser(new FileReader(path))) {
            return (PKCS10CertificationRequest) parser.readObject();
        }
    }

    private static KeyManagerFactory keys(String path) throws Exception {
        char[] password = "changeit".toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = new FileInputStream(path)) {
            store.load(in, password);
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, password);
        return factory;
    }

    private static void printPem(String name, byte[] der) {
        System.out.println("-----BEGIN " + name + "-----");
        System.out.println(Base64.getMimeEncoder(64, "\n".getBytes()).encodeToString(der));
        System.out.println("-----END " + name + "-----");
    }

    private static void print(Store<X509CertificateHolder> store) throws Exception {
        Collection<X509CertificateHolder> certificates = store.getMatches(null);
        for (X509CertificateHolder certificate : certificates) {
            printPem("CERTIFICATE", certificate.getEncoded());
        }
    }

    private static void print(EnrollmentResponse response) throws Exception {
        if (!response.isCompleted()) {
            System.out.println("again after " + response.getNotBefore());
            System.exit(4);
        }
        print(response.getStore());
        if (response.getPrivateKeyInfo() != null) {
            printPem("PRIVATE KEY", response.getPrivateKeyInfo().getEncoded());
        }
    }

    private static void ask(JsseESTServiceBuilder builder, String[] arguments) throws Exception {
        PKCS10CertificationRequest request = arguments.length > 4 ? readRequest(arguments[4]) : null;
        ESTAuth auth = null;
        if (arguments.length > 6) {
            auth = new JcaHttpAuthBuilder(arguments[5], arguments[6].toCharArray()).build();
        } else if (arguments.length > 5) {
            builder.withKeyManagers(keys(arguments[5]).getKeyManagers());
        }
        ESTService service = builder.build();
        switch (arguments[3]) {
            case "cacerts":
                CACertsResponse certificates = service.getCACerts();
                if (!certificates.isTrusted()) {
                    throw new IllegalStateException("the CA certificates are not trusted");
                }
                print(certificates.getCertificateStore());
                break;
            case "csrattrs":
                CSRRequestResponse attributes = service.getCSRAttributes();
                for (ASN1ObjectIdentifier oid : attributes.getAttributesResponse().getRequirements()) {
                    System.out.println(oid);
                }
                break;
            case "enroll":
                print(service.simpleEnroll(false, request, auth));
                break;
            case "reenroll":
                print(service.simpleEnroll(true, request, null));
                break;
            case "serverkeygen":
                print(service.simpleEnrollWithServersideCreation(request, auth));
                break;
            default:
                throw new IllegalArgumentException(arguments[3]);
        }
    }

    public static void main(String[] arguments) throws Exception {
        JsseESTServiceBuilder builder = new JsseESTServiceBuilder(arguments[0], trust(arguments[1]));
        if (!arguments[2].isEmpty()) {
            builder.withLabel(arguments[2]);
        }
        builder.withTimeout(30000);
        try {
            ask(builder, arguments);
        } catch (ESTException refusal) {
            System.out.println("status " + refusal.getStatusCode());
            System.exit(3);
        }
    }
}

package com.example.artifact;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.apache.commons.codec.binary.Hex;

public class ArtifactStore {
    private final ArtifactDao artifacts;

    public ArtifactStore(ArtifactDao artifacts) {
        this.artifacts = artifacts;
    }

    public void register(long artifactId, Path file) throws IOException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] hash = digest.digest(Files.readAllBytes(file));
        artifacts.updateChecksum(artifactId, Hex.encodeHexString(hash));
    }
}
